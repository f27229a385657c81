import type { DeviceIds, DeviceRecord } from '../../domain/device.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import { FerryError } from '../../domain/errors.ts'
import type { FileEnd, SelectableDevice } from '../../domain/migration-plan.ts'
import { objectOf, valueAt } from '../things-stack/json-tree.ts'
import type { Bytes } from './bytes.ts'
import type { Described } from './csv-device.ts'
import { identityOf, recordOf } from './record.ts'

/** One device that a file describes, and where. */
interface Entry extends Described {
  readonly offset: number
  readonly length: number
  /** From 1. */
  readonly line: number
}

/** A kind of file: how it is gone through, and how one device of it is read again. */
export interface Format {
  readonly isCsv: boolean
  entries(): AsyncGenerator<Entry>
  describe(bytes: Buffer, line: number): Described
}

/** Where devices of a file are, by their number in it. A file may have a million. */
interface Places {
  add(offset: number, length: number, line: number): void
  at(index: number): { readonly offset: number; readonly length: number; readonly line: number }
}

/** Numbers in one piece of memory, which grows. */
const createPlaces = (): Places => {
  const NUMBERS = 3
  let numbers = new Float64Array(1_000 * NUMBERS)
  let used = 0
  return {
    add: (...place) => {
      if (used === numbers.length) {
        const larger = new Float64Array(numbers.length * 2)
        larger.set(numbers)
        numbers = larger
      }
      numbers.set(place, used)
      used += NUMBERS
    },
    at: (index) => {
      const [offset = 0, length = 0, line = 0] = numbers.subarray(index * NUMBERS, (index + 1) * NUMBERS)
      return { offset, length, line }
    },
  }
}

/** A text that many devices share, kept once. */
const createShared = (): (<T extends string>(text: T) => T) => {
  const known = new Map<string, string>()
  return <T extends string>(text: T): T => {
    const before = known.get(text)
    if (before !== undefined) return before as T
    if (known.size < MOST_SHARED) known.set(text, text)
    return text
  }
}

const MOST_SHARED = 1_000

/** Which devices a file describes. What it says of each is read when it is asked for. */
export interface Catalogue {
  readonly devices: readonly SelectableDevice[]
  read(deviceId: string): Promise<DeviceRecord>
}

/** Rows that are told one by one. */
const MOST = 20

const nameless = (name: string, line: number): Diagnostic => ({
  code: 'FileDeviceNameless',
  severity: 'error',
  message: `${name}:${line}: it has neither a device id nor a DevEUI, so it is no device`,
  hint: 'write one of them, or take it out',
})

/** The id that a device has, or gets by its DevEUI as the tools of The Things Stack give it. */
const idOf = ({ deviceId, devEui }: DeviceIds): string =>
  deviceId !== '' ? deviceId : devEui === undefined ? '' : `eui-${devEui.toLowerCase()}`

/**
 * Goes through a file once.
 * @throws FerryError kind `plan-invalid`, `FileDeviceNameless`, where something in it can not be told from other things
 */
export const catalogueOf = async (
  bytes: Bytes,
  format: Format,
  { name, defaults }: Pick<FileEnd, 'name' | 'defaults'>,
): Promise<Catalogue> => {
  const record = (described: Described, deviceId: string): DeviceRecord =>
    recordOf(described, {
      deviceId,
      isCsv: format.isCsv,
      ...(defaults === undefined ? {} : { defaults }),
    })
  const places = createPlaces()
  /** Its number, by its id. */
  const numbers = new Map<string, number>()
  /** Line of another device with the same id, by number. */
  const twins = new Map<number, number>()
  const shared = createShared()
  const devices: SelectableDevice[] = []
  const problems: Diagnostic[] = []
  for await (const { offset, length, line, tree } of format.entries()) {
    const ids = identityOf(tree, defaults)
    const deviceId = idOf(ids)
    const before = numbers.get(deviceId)
    if (deviceId === '') problems.push(nameless(name, line))
    else if (before !== undefined) twins.set(before, twins.get(before) ?? line)
    else {
      places.add(offset, length, line)
      numbers.set(deviceId, devices.length)
      const attributes = objectOf(valueAt(tree, 'attributes'))
      devices.push({
        ...ids,
        deviceId,
        ...(ids.joinEui === undefined ? {} : { joinEui: shared(ids.joinEui) }),
        ...(attributes === undefined ? {} : { attributes }),
      })
    }
  }
  const [first] = problems
  if (first !== undefined)
    throw new FerryError('plan-invalid', first.code, `${name} holds what is no device`, {
      diagnostics: problems.slice(0, MOST),
      hint: problems.length > MOST ? `${problems.length - MOST} more are not told` : (first.hint ?? ''),
    })
  return {
    devices,
    read: async (deviceId) => {
      const number = numbers.get(deviceId)
      if (number === undefined) return { ids: { deviceId }, registries: {} }
      const { offset, length, line } = places.at(number)
      const held = record(format.describe(await bytes.at(offset, length), line), deviceId)
      const twin = twins.get(number)
      return twin === undefined ? held : withTwin(held, name, line, twin)
    },
  }
}

const withTwin = (held: DeviceRecord, name: string, line: number, twin: number): DeviceRecord => ({
  ...held,
  findings: [
    {
      code: 'DuplicateDevice',
      severity: 'error',
      message: `${name} describes it in line ${line} and in line ${twin}`,
      hint: 'take out the one that is wrong',
      subject: { device: held.ids.deviceId },
    },
    ...(held.findings ?? []),
  ],
})
