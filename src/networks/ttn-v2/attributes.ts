import { acceptedDeviceId } from '../../domain/accepted-id.ts'
import type { Json } from '../../domain/json.ts'

/** The Things Stack takes keys of 3 to 36 lower-case letters, digits and hyphens, and so many pairs. */
const LONGEST_KEY = 36
const MOST = 10
/** Where the device id of the source is kept, when it had to be changed. */
const OLD_ID = 'old-id'

/** At least 3 letters and digits, single hyphens between them. */
const ACCEPTED = /^[a-z0-9](?:-?[a-z0-9]){2,}$/

/** V2 takes any characters in a key. */
const acceptedKey = (key: string): string => {
  const plain = key
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  const long = ACCEPTED.test(plain) ? plain : `attribute-${plain === '' ? 'x' : plain}`
  return long.slice(0, LONGEST_KEY).replace(/-+$/, '')
}

/** Attributes as The Things Stack takes them; two keys that become one are told apart by a number. */
export const acceptedAttributes = (
  attributes: { readonly [name: string]: Json },
  deviceId: string,
): Readonly<Record<string, string>> => {
  const accepted: Record<string, string> = {}
  for (const [key, value] of Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = acceptedKey(key)
    let free = name
    for (let number = 2; free in accepted; number += 1)
      free = `${name.slice(0, LONGEST_KEY - 1 - String(number).length)}-${number}`
    accepted[free] = String(value)
  }
  const isRenamed = acceptedDeviceId(deviceId) !== deviceId
  const hasRoom = Object.keys(accepted).length < MOST && !(OLD_ID in accepted)
  return isRenamed && hasRoom ? { ...accepted, [OLD_ID]: deviceId } : accepted
}
