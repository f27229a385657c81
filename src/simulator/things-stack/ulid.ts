import { randomBytes } from 'node:crypto'

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** A random identifier in the form of those in correlation ids. */
export const ulid = (): string => [...randomBytes(26)].map((byte) => alphabet[byte % 32]).join('')
