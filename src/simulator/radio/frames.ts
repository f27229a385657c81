import { reversed } from './crypto.ts'

const toHex = (bytes: Buffer): string => bytes.toString('hex').toUpperCase()
const flipped = (bytes: Buffer): string => toHex(Buffer.from(bytes).reverse())

export interface JoinRequest {
  readonly joinEui: string
  readonly devEui: string
  readonly devNonce: number
  /** What the integrity code covers. */
  readonly message: Buffer
  readonly mic: Buffer
}

/** Reads a join-request, undefined when it is none. */
export const parseJoinRequest = (phy: Buffer): JoinRequest | undefined =>
  phy.length !== 23 || phy[0] !== 0
    ? undefined
    : {
        joinEui: flipped(phy.subarray(1, 9)),
        devEui: flipped(phy.subarray(9, 17)),
        devNonce: phy.readUInt16LE(17),
        message: phy.subarray(0, 19),
        mic: phy.subarray(19),
      }

/** A join-request without its integrity code. */
export const buildJoinRequest = (joinEui: string, devEui: string, devNonce: number): Buffer => {
  const nonce = Buffer.alloc(2)
  nonce.writeUInt16LE(devNonce)
  return Buffer.concat([Buffer.from([0]), reversed(joinEui), reversed(devEui), nonce])
}

/** Fields of a join-accept; frequencies of the channel list in Hz. */
export interface JoinAccept {
  readonly joinNonce: number
  readonly netId: string
  readonly devAddr: string
  readonly optNeg: boolean
  readonly rx1DrOffset: number
  readonly rx2DataRate: number
  /** In seconds. */
  readonly rxDelay: number
  readonly frequencies: readonly number[]
}

/** A join-accept in clear, without header and integrity code. */
export const buildJoinAccept = (accept: JoinAccept): Buffer => {
  const nonce = Buffer.alloc(3)
  nonce.writeUIntLE(accept.joinNonce, 0, 3)
  const settings = (accept.optNeg ? 0x80 : 0) | (accept.rx1DrOffset << 4) | accept.rx2DataRate
  const list = Buffer.alloc(accept.frequencies.length === 0 ? 0 : 16)
  for (const [index, frequency] of accept.frequencies.entries())
    list.writeUIntLE(frequency / 100, index * 3, 3)
  return Buffer.concat([
    nonce,
    reversed(accept.netId),
    reversed(accept.devAddr),
    Buffer.from([settings, accept.rxDelay]),
    list,
  ])
}

/** Reads a join-accept in clear, without header and integrity code. */
export const parseJoinAccept = (clear: Buffer): JoinAccept => {
  const settings = clear[10] ?? 0
  const frequencies: number[] = []
  if (clear.length >= 28 && clear[27] === 0) {
    for (let index = 0; index < 5; index += 1) {
      const frequency = clear.readUIntLE(12 + index * 3, 3) * 100
      if (frequency > 0) frequencies.push(frequency)
    }
  }
  return {
    joinNonce: clear.readUIntLE(0, 3),
    netId: flipped(clear.subarray(3, 6)),
    devAddr: flipped(clear.subarray(6, 10)),
    optNeg: (settings & 0x80) !== 0,
    rx1DrOffset: (settings >> 4) & 7,
    rx2DataRate: settings & 15,
    rxDelay: Math.max(1, clear[11] ?? 1),
    frequencies,
  }
}

/** A data frame, up or down. `fCnt` is the low half of the counter. */
export interface DataFrame {
  readonly confirmed: boolean
  readonly up: boolean
  readonly devAddr: string
  readonly adr: boolean
  readonly adrAckReq: boolean
  readonly ack: boolean
  /** Bit 4 of FCtrl: class B in an uplink, more is queued in a downlink. */
  readonly bit4: boolean
  readonly fCnt: number
  readonly fOpts: Buffer
  readonly fPort: number | undefined
  readonly frmPayload: Buffer
}

export interface ReceivedDataFrame extends DataFrame {
  readonly message: Buffer
  readonly mic: Buffer
}

const types = { unconfirmedUp: 2, unconfirmedDown: 3, confirmedUp: 4, confirmedDown: 5 }

/** Reads a data frame, undefined when it is none. */
export const parseDataFrame = (phy: Buffer): ReceivedDataFrame | undefined => {
  const type = (phy[0] ?? 0) >> 5
  if (
    phy.length < 12 ||
    type < types.unconfirmedUp ||
    type > types.confirmedDown ||
    ((phy[0] ?? 0) & 3) !== 0
  )
    return undefined
  const control = phy[5] ?? 0
  const end = phy.length - 4
  const optionsEnd = 8 + (control & 15)
  if (optionsEnd > end) return undefined
  return {
    confirmed: type >= types.confirmedUp,
    up: type === types.unconfirmedUp || type === types.confirmedUp,
    devAddr: flipped(phy.subarray(1, 5)),
    adr: (control & 0x80) !== 0,
    adrAckReq: (control & 0x40) !== 0,
    ack: (control & 0x20) !== 0,
    bit4: (control & 0x10) !== 0,
    fCnt: phy.readUInt16LE(6),
    fOpts: phy.subarray(8, optionsEnd),
    fPort: optionsEnd < end ? phy[optionsEnd] : undefined,
    frmPayload: phy.subarray(Math.min(end, optionsEnd + 1), end),
    message: phy.subarray(0, end),
    mic: phy.subarray(end),
  }
}

/** A data frame without its integrity code. */
export const buildDataFrame = (frame: DataFrame): Buffer => {
  const type = frame.up
    ? frame.confirmed
      ? types.confirmedUp
      : types.unconfirmedUp
    : frame.confirmed
      ? types.confirmedDown
      : types.unconfirmedDown
  const flags =
    (frame.adr ? 0x80 : 0) | (frame.adrAckReq ? 0x40 : 0) | (frame.ack ? 0x20 : 0) | (frame.bit4 ? 0x10 : 0)
  const counter = Buffer.alloc(2)
  counter.writeUInt16LE(frame.fCnt & 0xffff)
  return Buffer.concat([
    Buffer.from([type << 5]),
    reversed(frame.devAddr),
    Buffer.from([flags | frame.fOpts.length]),
    counter,
    frame.fOpts,
    ...(frame.fPort === undefined ? [] : [Buffer.from([frame.fPort]), frame.frmPayload]),
  ])
}
