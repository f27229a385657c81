import { createCipheriv, createDecipheriv } from 'node:crypto'

const hex = (text: string): Buffer => Buffer.from(text, 'hex')

/** One block, or several, of AES-128 in electronic codebook mode. */
const encryptBlocks = (key: string, blocks: Buffer): Buffer => {
  const cipher = createCipheriv('aes-128-ecb', hex(key), null).setAutoPadding(false)
  return Buffer.concat([cipher.update(blocks), cipher.final()])
}

const decryptBlocks = (key: string, blocks: Buffer): Buffer => {
  const cipher = createDecipheriv('aes-128-ecb', hex(key), null).setAutoPadding(false)
  return Buffer.concat([cipher.update(blocks), cipher.final()])
}

const xor = (left: Buffer, right: Buffer): Buffer =>
  Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)))

const double = (block: Buffer): Buffer => {
  const shifted = Buffer.alloc(16)
  for (let index = 0; index < 16; index += 1)
    shifted[index] = (((block[index] ?? 0) << 1) | ((block[index + 1] ?? 0) >> 7)) & 0xff
  if (((block[0] ?? 0) & 0x80) !== 0) shifted[15] = (shifted[15] ?? 0) ^ 0x87
  return shifted
}

/** AES-CMAC (RFC 4493), sixteen bytes. */
const cmac = (key: string, message: Buffer): Buffer => {
  const first = double(encryptBlocks(key, Buffer.alloc(16)))
  const count = Math.max(1, Math.ceil(message.length / 16))
  const rest = message.subarray((count - 1) * 16)
  const last =
    rest.length === 16 ? xor(rest, first) : xor(Buffer.concat([rest, Buffer.from([0x80])], 16), double(first))
  let state: Buffer = Buffer.alloc(16)
  for (let index = 0; index < count - 1; index += 1)
    state = encryptBlocks(key, xor(state, message.subarray(index * 16, index * 16 + 16)))
  return encryptBlocks(key, xor(state, last))
}

/** Hexadecimal text in the byte order of the air. */
export const reversed = (text: string): Buffer => hex(text).reverse()

/** 0 for uplinks, 1 for downlinks. */
export type Direction = 0 | 1

const address = (devAddr: string, fCnt: number): Buffer => {
  const counter = Buffer.alloc(4)
  counter.writeUInt32LE(fCnt)
  return Buffer.concat([reversed(devAddr), counter])
}

/**
 * Encrypts or decrypts a payload (LoRaWAN 4.3.3).
 * @param constant fourth byte of the block's constant: 0 for FRMPayload; 1 or 2 for FOpts of LoRaWAN 1.1
 */
export const cryptPayload = (
  key: string,
  direction: Direction,
  devAddr: string,
  fCnt: number,
  payload: Buffer,
  constant = 0,
): Buffer => {
  const blocks: Buffer[] = []
  for (let index = 1; index <= Math.ceil(payload.length / 16); index += 1) {
    blocks.push(
      Buffer.concat([
        Buffer.from([1, 0, 0, 0, constant, direction]),
        address(devAddr, fCnt),
        Buffer.from([0, index]),
      ]),
    )
  }
  return blocks.length === 0 ? Buffer.alloc(0) : xor(payload, encryptBlocks(key, Buffer.concat(blocks)))
}

interface MicInput {
  readonly direction: Direction
  readonly devAddr: string
  readonly fCnt: number
  readonly message: Buffer
  /** Counter of the frame that is acknowledged, LoRaWAN 1.1 only. */
  readonly confirmed?: number
  /** Data rate and channel index, for the second half of a LoRaWAN 1.1 uplink's code. */
  readonly dataRate?: number
  readonly channel?: number
}

const mic = (
  key: string,
  { direction, devAddr, fCnt, message, confirmed = 0, dataRate = 0, channel = 0 }: MicInput,
): Buffer => {
  const counter = confirmed & 0xffff
  const start = Buffer.from([0x49, counter & 0xff, counter >> 8, dataRate, channel, direction])
  return cmac(
    key,
    Buffer.concat([start, address(devAddr, fCnt), Buffer.from([0, message.length]), message]),
  ).subarray(0, 4)
}

/** Message integrity code of a data frame below LoRaWAN 1.1, and of any downlink with `confirmed`. */
export const dataMic = (key: string, input: Omit<MicInput, 'dataRate' | 'channel'>): Buffer => mic(key, input)

/** Message integrity code of a LoRaWAN 1.1 uplink: two bytes by each network key. */
export const uplinkMic11 = (
  keys: { readonly sNwkSIntKey: string; readonly fNwkSIntKey: string },
  input: Omit<MicInput, 'direction'>,
): Buffer => {
  const { devAddr, fCnt, message } = input
  const serving = mic(keys.sNwkSIntKey, { ...input, direction: 0 })
  const forwarding = mic(keys.fNwkSIntKey, { direction: 0, devAddr, fCnt, message })
  return Buffer.concat([serving.subarray(0, 2), forwarding.subarray(0, 2)])
}

/** Four bytes over a join-request or join-accept. */
export const joinMic = (key: string, message: Buffer): Buffer => cmac(key, message).subarray(0, 4)

/** A join-accept is encrypted with the decryption, so that a device needs one direction only. */
export const encryptJoinAccept = (key: string, payload: Buffer): Buffer => decryptBlocks(key, payload)

/** The reverse of `encryptJoinAccept`. */
export const decryptJoinAccept = (key: string, payload: Buffer): Buffer => encryptBlocks(key, payload)

const derive = (key: string, parts: readonly Buffer[]): string =>
  encryptBlocks(key, Buffer.concat(parts, 16)).toString('hex').toUpperCase()

/** Keys of a join, hexadecimal; DevNonce and JoinNonce as numbers. */
export interface JoinContext {
  readonly joinEui: string
  readonly devEui: string
  readonly devNonce: number
  readonly joinNonce: number
  readonly netId: string
}

export interface DerivedKeys {
  readonly fNwkSIntKey: string
  readonly sNwkSIntKey: string
  readonly nwkSEncKey: string
  readonly appSKey: string
}

const nonces = ({ devNonce, joinNonce }: JoinContext): { readonly dev: Buffer; readonly join: Buffer } => {
  const dev = Buffer.alloc(2)
  dev.writeUInt16LE(devNonce)
  const join = Buffer.alloc(3)
  join.writeUIntLE(joinNonce, 0, 3)
  return { dev, join }
}

/** Session keys of LoRaWAN 1.0.x (6.2.5): one network key. `networkKey` and `applicationKey` are the same unless an NwkKey is used. */
export const deriveKeys10 = (
  networkKey: string,
  applicationKey: string,
  context: JoinContext,
): DerivedKeys => {
  const { dev, join } = nonces(context)
  const input = (type: number): Buffer[] => [Buffer.from([type]), join, reversed(context.netId), dev]
  const network = derive(networkKey, input(1))
  return {
    fNwkSIntKey: network,
    sNwkSIntKey: network,
    nwkSEncKey: network,
    appSKey: derive(applicationKey, input(2)),
  }
}

/** Session keys of LoRaWAN 1.1 (6.1.3). */
export const deriveKeys11 = (nwkKey: string, appKey: string, context: JoinContext): DerivedKeys => {
  const { dev, join } = nonces(context)
  const input = (type: number): Buffer[] => [Buffer.from([type]), join, reversed(context.joinEui), dev]
  return {
    fNwkSIntKey: derive(nwkKey, input(1)),
    sNwkSIntKey: derive(nwkKey, input(3)),
    nwkSEncKey: derive(nwkKey, input(4)),
    appSKey: derive(appKey, input(2)),
  }
}

/** The key of a LoRaWAN 1.1 join-accept's integrity code. */
export const joinIntegrityKey = (nwkKey: string, devEui: string): string =>
  derive(nwkKey, [Buffer.from([6]), reversed(devEui)])
