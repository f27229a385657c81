declare const brand: unique symbol
type Branded<T, B extends string> = T & { readonly [brand]: B }

/** 16 upper-case hex digits, most significant byte first. */
export type DevEui = Branded<string, 'DevEui'>
/** 16 upper-case hex digits; all zeros is a legal JoinEUI. */
export type JoinEui = Branded<string, 'JoinEui'>
/** 8 upper-case hex digits. */
export type DevAddr = Branded<string, 'DevAddr'>
/** `sha256:` and 64 lower-case hex digits. */
export type Digest = Branded<string, 'Digest'>

/** Accepts lower case and the separators `:` `-` and blank between bytes; returns undefined for anything else. */
const parseHex = (text: string, digits: number): string | undefined => {
  const compact = text
    .trim()
    .replace(/^0x/i, '')
    .replace(/[:\- ]/g, '')
  return compact.length === digits && /^[0-9A-Fa-f]+$/.test(compact) ? compact.toUpperCase() : undefined
}

/** Parses 16 hex digits. A DevEUI of zeros identifies nothing and is refused. */
export const parseDevEui = (text: string): DevEui | undefined => {
  const hex = parseHex(text, 16)
  return hex === undefined || /^0+$/.test(hex) ? undefined : (hex as DevEui)
}

export const parseJoinEui = (text: string): JoinEui | undefined => parseHex(text, 16) as JoinEui | undefined

export const parseDevAddr = (text: string): DevAddr | undefined => parseHex(text, 8) as DevAddr | undefined

/** Id of a device, application or gateway of The Things Stack: 3 to 36 of a-z, 0-9 and single inner hyphens. */
export const isStackId = (text: string): boolean =>
  text.length <= 36 && /^[a-z0-9](?:-?[a-z0-9]){2,}$/.test(text)

/** A block of device addresses, as The Things Stack writes it: `26000000/20`. */
export type DevAddrPrefix = string

/** Whether a DevAddr lies in a block such as `26000000/20`; a malformed block holds nothing. */
export const devAddrIn = (devAddr: DevAddr, prefix: DevAddrPrefix): boolean => {
  const [base = '', bits = ''] = prefix.split('/')
  const length = Number(bits)
  if (!/^[0-9A-Fa-f]{8}$/.test(base) || !Number.isInteger(length) || length < 0 || length > 32) return false
  const shift = 2 ** (32 - length)
  return Math.floor(Number.parseInt(devAddr, 16) / shift) === Math.floor(Number.parseInt(base, 16) / shift)
}

/** Whether a DevAddr, as a text, is of one of the blocks. */
export const insidePrefixes = (devAddr: string, prefixes: readonly DevAddrPrefix[]): boolean => {
  const parsed = parseDevAddr(devAddr)
  return parsed !== undefined && prefixes.some((prefix) => devAddrIn(parsed, prefix))
}
