const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]

const polymod = (values: readonly number[]): number => {
  let checksum = 1
  for (const value of values) {
    const top = checksum >>> 25
    checksum = ((checksum & 0x1ffffff) << 5) ^ value
    for (const [bit, generator] of GENERATOR.entries()) {
      if ((top >>> bit) & 1) checksum ^= generator
    }
  }
  return checksum >>> 0
}

/** Whether a lower-case text is Bech32 with a right checksum (BIP 173, without its limit of length, as age uses it). */
export const isBech32 = (text: string): boolean => {
  const split = text.lastIndexOf('1')
  if (split < 1 || text.length - split < 7 || text !== text.toLowerCase()) return false
  const prefix = [...text.slice(0, split)].map((character) => character.charCodeAt(0))
  const data = [...text.slice(split + 1)].map((character) => ALPHABET.indexOf(character))
  if (data.includes(-1)) return false
  return polymod([...prefix.map((code) => code >>> 5), 0, ...prefix.map((code) => code & 31), ...data]) === 1
}
