import type { DeviceChange, FieldChange, ShownValue } from '../domain/change-set.ts'
import { harmless } from './escape.ts'

/** A device that gets other EUIs is another device to a network: told as changes of fields, and first. */

const shown = (eui: string | undefined): ShownValue => (eui === undefined ? { absent: true } : { value: eui })

const euiChange = (
  path: 'ids.dev_eui' | 'ids.join_eui',
  before: string | undefined,
  after: string | undefined,
  because: string,
): readonly FieldChange[] =>
  after === undefined || after === before
    ? []
    : [
        {
          registry: 'identity-server',
          path,
          before: shown(before),
          after: shown(after),
          verdict: 'write',
          reason: 'plan',
          because,
        },
      ]

/** The changes of a device: those of its EUIs, then those of its fields. */
export const changesOf = (device: DeviceChange): readonly FieldChange[] =>
  device.becomes === undefined
    ? device.fields
    : [
        ...euiChange('ids.dev_eui', device.devEui, device.becomes.devEui, 'set.devEui'),
        ...euiChange('ids.join_eui', device.joinEui, device.becomes.joinEui, 'set.joinEui'),
        ...device.fields,
      ]

/** `70B3D57ED0000001 -> 70B3D57ED0000002` where the target gets another; undefined where neither side has one. */
export const euiWords = (source: string | undefined, target: string | undefined): string | undefined => {
  if (target === undefined || target === source) return source === undefined ? undefined : harmless(source)
  return `${source === undefined ? 'none' : harmless(source)} -> ${harmless(target)}`
}

/** What a line about a device begins with. */
export const devEuiWords = (device: DeviceChange): string =>
  euiWords(device.devEui, device.becomes?.devEui) ?? 'no DevEUI'
