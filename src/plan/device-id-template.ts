import { acceptedDeviceId } from '../domain/accepted-id.ts'
import type { SelectableDevice } from '../domain/migration-plan.ts'
import { attributesOf } from './attributes.ts'

const ATTRIBUTE = 'attributes.'
const PLACEHOLDER = /\{([^{}]*)\}/g

const IDS: readonly string[] = ['id', 'devEui', 'joinEui']

/** What may stand between braces. */
export const PLACEHOLDERS: readonly string[] = [...IDS, `${ATTRIBUTE}NAME`]

/** Whether a device id of a plan is a rule by which each device gets its own. */
export const isTemplate = (deviceId: string): boolean => deviceId.includes('{')

/** Names between braces that stand for nothing. */
export const unknownPlaceholders = (template: string): readonly string[] =>
  [...template.matchAll(PLACEHOLDER)]
    .map(([, name = '']) => name)
    .filter((name) => !IDS.includes(name) && !(name.startsWith(ATTRIBUTE) && name.length > ATTRIBUTE.length))

const attributeOf = (device: SelectableDevice, name: string): string | undefined => {
  const held = attributesOf(device) ?? {}
  const value = Object.hasOwn(held, name) ? held[name] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}

const partOf = (device: SelectableDevice, name: string): string | undefined => {
  switch (name) {
    case 'id':
      return device.deviceId
    case 'devEui':
      return device.devEui?.toLowerCase()
    case 'joinEui':
      return device.joinEui?.toLowerCase()
    default:
      return attributeOf(device, name.slice(ATTRIBUTE.length))
  }
}

/**
 * The id that a rule gives a device, in the form that the target takes; or what the rule asks for and the device lacks.
 *
 * @example templatedId('{attributes.building}-{id}', device) // { deviceId: 'town-hall-meter-7' }
 */
export const templatedId = (
  template: string,
  device: SelectableDevice,
): { readonly deviceId: string } | { readonly lacks: string } => {
  let lacks: string | undefined
  const text = template.replace(PLACEHOLDER, (_, name: string) => {
    const value = partOf(device, name)
    if (value === undefined) lacks ??= name
    return value ?? ''
  })
  return lacks === undefined ? { deviceId: acceptedDeviceId(text) } : { lacks }
}
