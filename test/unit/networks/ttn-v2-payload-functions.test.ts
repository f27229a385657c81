import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { formattersOf, type PayloadFunctions } from '../../../src/networks/ttn-v2/payload-functions.ts'

const NONE: PayloadFunctions = { format: 'custom', decoder: '', converter: '', validator: '', encoder: '' }
const DECODER = 'function Decoder(bytes, port) { return { t: bytes[0] * 256 + bytes[1], port: port }; }'
const CONVERTER =
  'function Converter(decoded, port) { decoded.celsius = decoded.t / 10 + port; return decoded; }'
const VALIDATOR = 'function Validator(converted, port) { return converted.t < 1000 || port === 9; }'
const ENCODER = 'function Encoder(object, port) { return [object.t & 0xff]; }'

/** As The Things Stack runs an uplink formatter: `Decoder` where `decodeUplink` is missing. */
const decode = (code: string, bytes: readonly number[], fPort: number): unknown => {
  const call = `typeof decodeUplink === 'function' ? decodeUplink(input) : { data: Decoder(input.bytes, input.fPort) }`
  return JSON.parse(
    runInNewContext(`${code}\nJSON.stringify(${call})`, { input: { bytes, fPort } }) as string,
  )
}

/** As V2 ran them, one after another; undefined for a message that was dropped. */
const asV2 = (
  { decoder, converter, validator }: PayloadFunctions,
  bytes: readonly number[],
  port: number,
): unknown => {
  const run = (code: string, call: string, fields: unknown): unknown =>
    code === '' ? fields : runInNewContext(`${code}\n${call}`, { bytes, port, fields })
  const decoded = run(decoder, 'Decoder(bytes, port)', { bytes })
  const converted = run(converter, 'Converter(fields, port)', decoded)
  const isTaken = validator === '' || run(validator, 'Validator(fields, port)', converted) === true
  return isTaken ? JSON.parse(JSON.stringify(converted)) : undefined
}

describe('payload functions of a Stack V2 as formatters of The Things Stack', () => {
  it.each([
    [{ ...NONE, decoder: DECODER }],
    [{ ...NONE, decoder: DECODER, converter: CONVERTER }],
    [{ ...NONE, decoder: DECODER, converter: CONVERTER, validator: VALIDATOR }],
    [
      {
        ...NONE,
        converter: 'function Converter(decoded, port) { return { n: decoded.bytes.length, port: port }; }',
      },
    ],
  ])('decode what V2 decoded, and refuse what it dropped: %#', (functions) => {
    const code = formattersOf(functions)?.up_formatter_parameter ?? ''
    for (const bytes of [
      [0, 7],
      [3, 0],
      [9, 200],
    ])
      for (const port of [1, 9]) {
        const expected = asV2(functions, bytes, port)
        const found = decode(code, bytes, port) as { readonly data?: unknown; readonly errors?: unknown }
        if (expected === undefined) expect(found).toEqual({ errors: ['refused by the Validator'] })
        else expect(found).toEqual({ data: expected })
      }
  })

  it('are carried as they are where nothing has to be folded in', () => {
    expect(formattersOf({ ...NONE, decoder: DECODER, encoder: ENCODER })).toEqual({
      up_formatter: 'FORMATTER_JAVASCRIPT',
      up_formatter_parameter: DECODER,
      down_formatter: 'FORMATTER_JAVASCRIPT',
      down_formatter_parameter: ENCODER,
    })
    expect(formattersOf({ ...NONE, format: 'cayennelpp' })).toEqual({
      up_formatter: 'FORMATTER_CAYENNELPP',
      down_formatter: 'FORMATTER_CAYENNELPP',
    })
  })

  it('are none where V2 has none', () => {
    expect(formattersOf(NONE)).toBeUndefined()
    expect(formattersOf({ ...NONE, format: '' })).toBeUndefined()
  })
})
