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

/** Kept of each device; a file may have a million. */
interface Place {
  readonly offset: number
  readonly length: number
  readonly line: number
  /** Line of another device with the same id. */
  readonly twin?: number
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
  const places = new Map<string, Place>()
  const devices: SelectableDevice[] = []
  const problems: Diagnostic[] = []
  for await (const { offset, length, line, tree } of format.entries()) {
    const ids = identityOf(tree, defaults)
    const deviceId = idOf(ids)
    const before = places.get(deviceId)
    if (deviceId === '') problems.push(nameless(name, line))
    else if (before !== undefined) places.set(deviceId, { ...before, twin: before.twin ?? line })
    else {
      places.set(deviceId, { offset, length, line })
      const attributes = objectOf(valueAt(tree, 'attributes'))
      devices.push({ ...ids, deviceId, ...(attributes === undefined ? {} : { attributes }) })
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
      const place = places.get(deviceId)
      if (place === undefined) return { ids: { deviceId }, registries: {} }
      const described = format.describe(await bytes.at(place.offset, place.length), place.line)
      const held = record(described, deviceId)
      return place.twin === undefined ? held : withTwin(held, name, place.line, place.twin)
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
