import { acceptedDeviceId } from './accepted-id.ts'
import type { Diagnostic } from './diagnostic.ts'
import type { Json } from './json.ts'

/** Longest of each that an Identity Server takes, in code points, and so many attributes. */
const NAME = 50
const DESCRIPTION = 2_000
const VALUE = 200
const KEY = 36
const ATTRIBUTES = 10
/** Where the device id of the source is kept, when it had to be changed. */
const OLD_ID = 'old-id'

/** At least 3 letters and digits, single hyphens between them. */
const ACCEPTED_KEY = /^[a-z0-9](?:-?[a-z0-9]){2,}$/

interface Described {
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly attributes?: { readonly [name: string]: Json } | undefined
}

interface Accepted {
  readonly name?: string
  readonly description?: string
  readonly attributes?: Readonly<Record<string, string>>
  /** What had to be changed or left out. */
  readonly findings: readonly Diagnostic[]
}

/** Some networks and all files take any characters in a key. */
const acceptedKey = (key: string): string => {
  const plain = key
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  const long = ACCEPTED_KEY.test(plain) ? plain : `attribute-${plain === '' ? 'x' : plain}`
  return long.slice(0, KEY).replace(/-+$/, '')
}

/** Attributes under the keys that are taken; two keys that become one are told apart by a number. */
const acceptedAttributes = (
  attributes: { readonly [name: string]: Json },
  deviceId: string,
): Readonly<Record<string, string>> => {
  const accepted: Record<string, string> = {}
  for (const [key, value] of Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = acceptedKey(key)
    let free = name
    for (let number = 2; free in accepted; number += 1)
      free = `${name.slice(0, KEY - 1 - String(number).length)}-${number}`
    accepted[free] = cut(String(value), VALUE)
  }
  return acceptedDeviceId(deviceId) === deviceId ? accepted : withOldId(accepted, deviceId)
}

/** Attributes with the device id of the source, where there is room and its name is free. */
export const withOldId = <T extends Readonly<Record<string, unknown>>>(
  attributes: T,
  deviceId: string,
): T & { readonly [OLD_ID]?: string } =>
  Object.keys(attributes).length < ATTRIBUTES && !(OLD_ID in attributes)
    ? { ...attributes, [OLD_ID]: cut(deviceId, VALUE) }
    : attributes

/** The first code points of a text: never half of one. */
const cut = (text: string, most: number): string =>
  text.length <= most ? text : [...text].slice(0, most).join('')

/**
 * What The Things Stack takes of how a device is called and described (limits of its Identity Server, measured on 3.32).
 * The same always becomes the same.
 */
export const acceptedIdentity = (
  { name, description, attributes = {} }: Described,
  deviceId: string,
): Accepted => {
  const findings: Diagnostic[] = []
  const tell = (code: string, message: string, hint: string): void => {
    findings.push({ code, severity: 'warning', message, hint, subject: { device: deviceId } })
  }
  const cutText = (text: string, most: number, what: string): string => {
    const short = cut(text, most)
    if (short !== text)
      tell(
        'TextCut',
        `its ${what} has ${[...text].length} characters, and the target takes ${most}: the rest is cut off`,
        `write a shorter one in an override (set.${what})`,
      )
    return short
  }
  const all = acceptedAttributes(attributes, deviceId)
  const renamed = Object.keys(attributes).filter((key) => !(key in all))
  if (renamed.length > 0)
    findings.push({
      code: 'AttributesRenamed',
      severity: 'note',
      message: `the target does not take the names of its attributes ${renamed.join(', ')}: they are written in its form`,
      subject: { device: deviceId },
    })
  if (Object.values(attributes).some((value) => cut(String(value), VALUE) !== String(value)))
    tell(
      'TextCut',
      `the target takes ${VALUE} characters of an attribute: the rest is cut off`,
      'write its attributes in an override (set.attributes)',
    )
  const kept = Object.fromEntries(Object.entries(all).slice(0, ATTRIBUTES))
  const dropped = Object.keys(all).slice(ATTRIBUTES)
  if (dropped.length > 0)
    tell(
      'AttributesDropped',
      `the target takes ${ATTRIBUTES} attributes: ${dropped.join(', ')} stay behind`,
      'write those that matter in an override (set.attributes)',
    )
  return {
    ...(name === undefined ? {} : { name: cutText(name, NAME, 'name') }),
    ...(description === undefined ? {} : { description: cutText(description, DESCRIPTION, 'description') }),
    ...(Object.keys(kept).length === 0 ? {} : { attributes: kept }),
    findings,
  }
}
