import type { DeviceIds, DeviceRecord } from '../../domain/device.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import { FerryError } from '../../domain/errors.ts'
import type { JoinEui } from '../../domain/identifiers.ts'
import type { FileEnd, SelectableDevice } from '../../domain/migration-plan.ts'
import { remembered } from '../../domain/remembered.ts'
import { objectOf, valueAt } from '../things-stack/json-tree.ts'
import type { Bytes } from './bytes.ts'
import type { Described } from './csv-device.ts'
import { createDevicePlaces } from './device-places.ts'
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
  const places = createDevicePlaces()
  /** Its number, by its id. */
  const numbers = new Map<string, number>()
  /** Line of another device with the same id, by number. */
  const twins = new Map<number, number>()
  /** A JoinEUI that many devices share is kept once. */
  const shared = remembered((joinEui: JoinEui) => joinEui, 1_000)
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
