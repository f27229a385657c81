import type { Formatters } from '../../domain/ports.ts'

/** Payload functions of an application of V2, as its handler tells them; JavaScript, '' for none. */
export interface PayloadFunctions {
  /** `custom`, `cayennelpp`, or ''. */
  readonly format: string
  readonly decoder: string
  readonly converter: string
  readonly validator: string
  readonly encoder: string
}

const JAVASCRIPT = 'FORMATTER_JAVASCRIPT'
const CAYENNE = 'FORMATTER_CAYENNELPP'

/**
 * The decoder with what V2 did after it. The Things Stack calls `Decoder` and `Encoder` where `decodeUplink` and
 * `encodeDownlink` are missing, and knows no converter and no validator (V2 notes, section 7): these are folded in. Where a
 * validator refused a message, V2 dropped it; here it arrives without what was decoded, and says why.
 */
const folded = ({ decoder, converter, validator }: PayloadFunctions): string => {
  if (converter === '' && validator === '') return decoder
  const decode = decoder === '' ? '{ bytes: input.bytes }' : 'Decoder(input.bytes, input.fPort)'
  return [
    ...[decoder, converter, validator].filter((code) => code !== ''),
    'function decodeUplink(input) {',
    `  var fields = ${decode};`,
    ...(converter === '' ? [] : ['  fields = Converter(fields, input.fPort);']),
    ...(validator === ''
      ? []
      : ["  if (!Validator(fields, input.fPort)) return { errors: ['refused by the Validator'] };"]),
    '  return { data: fields };',
    '}',
    '',
  ].join('\n')
}

/** As the default formatters of an application of The Things Stack; undefined where V2 has no functions. */
export const formattersOf = (functions: PayloadFunctions): Formatters | undefined => {
  if (functions.format === 'cayennelpp') return { up_formatter: CAYENNE, down_formatter: CAYENNE }
  const [up, down] = [folded(functions), functions.encoder]
  if (functions.format !== 'custom' || (up === '' && down === '')) return undefined
  return {
    ...(up === '' ? {} : { up_formatter: JAVASCRIPT, up_formatter_parameter: up }),
    ...(down === '' ? {} : { down_formatter: JAVASCRIPT, down_formatter_parameter: down }),
  }
}
