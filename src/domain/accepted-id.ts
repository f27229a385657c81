import { createHash } from 'node:crypto'

/** At least 3 lower-case letters and digits, single hyphens between them. */
const ACCEPTED = /^[a-z0-9](?:-?[a-z0-9]){2,}$/
const LONGEST = 36
/** Hex digits that tell ids apart which begin alike. */
const DIGITS = 8

/**
 * The id that The Things Stack takes for a device whose network allows others: underscores become hyphens, an id that
 * is too short gets `device-` before it, and one that is too long is cut and ends in digits made from all of it. The same
 * id always becomes the same.
 *
 * @example acceptedDeviceId('meter_1') // 'meter-1'
 */
export const acceptedDeviceId = (id: string): string => {
  if (ACCEPTED.test(id) && id.length <= LONGEST) return id
  const plain = id
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  const long = ACCEPTED.test(plain) ? plain : `device-${plain === '' ? 'x' : plain}`
  if (long.length <= LONGEST) return long
  const digits = createHash('sha256').update(id).digest('hex').slice(0, DIGITS)
  return `${long.slice(0, LONGEST - DIGITS - 1).replace(/-+$/, '')}-${digits}`
}
