import { randomBytes, randomInt } from 'node:crypto'
import { cryptPayload, dataMic, deriveKeys10, encryptJoinAccept, joinMic } from '../radio/crypto.ts'
import {
  buildDataFrame,
  buildJoinAccept,
  type JoinRequest,
  parseDataFrame,
  parseJoinRequest,
  type ReceivedDataFrame,
} from '../radio/frames.ts'
import { type Frame, type HeardFrame, refused } from '../radio/hear.ts'
import type { V2Device } from './device.ts'
import { euisOf, keyOf, type V2Network } from './network.ts'

const NET_ID = '000013'
/** Seconds. What V2 hands out in every band. */
const RX1_DELAY = 1
const JOIN_ACCEPT_DELAY = 5
/** SF9 at 869.525 MHz, as the public network had it. */
const RX2_DATA_RATE = 3
/** Added to the three that every device of the band knows. */
const ADDED_CHANNELS = [867_100_000, 867_300_000, 867_500_000, 867_700_000, 867_900_000]

const seen = ({ clock }: V2Network): bigint => BigInt(clock().getTime()) * 1_000_000n

const store = (network: V2Network, device: V2Device): void => {
  network.devices.set(keyOf(device.appId, device.devId), device)
}

/** Devices that the network server knows, too. */
const known = (network: V2Network): readonly V2Device[] =>
  [...network.devices.values()].filter(
    (device) => network.euis.get(euisOf(device)) === keyOf(device.appId, device.devId),
  )

const hasKey = (key: string): boolean => !/^0*$/.test(key)

const hearJoin = (network: V2Network, frame: Frame, request: JoinRequest): HeardFrame => {
  const device = known(network).find(
    ({ appEui, devEui }) => appEui === request.joinEui && devEui === request.devEui,
  )
  if (device === undefined) return refused('no device with these EUIs')
  if (!hasKey(device.appKey)) return refused('the device has no AppKey')
  if (!joinMic(device.appKey, request.message).equals(request.mic)) return refused('Invalid MIC')
  if (device.usedDevNonces.includes(request.devNonce)) return refused('the DevNonce was used before')
  const joinNonce = randomInt(1, 0x1000000)
  const devAddr = `26${randomBytes(3).toString('hex').toUpperCase()}`
  const clear = buildJoinAccept({
    joinNonce,
    netId: NET_ID,
    devAddr,
    optNeg: false,
    rx1DrOffset: 0,
    rx2DataRate: RX2_DATA_RATE,
    rxDelay: RX1_DELAY,
    frequencies: ADDED_CHANNELS,
  })
  const header = Buffer.from([0x20])
  const mic = joinMic(device.appKey, Buffer.concat([header, clear]))
  const accept = Buffer.concat([header, encryptJoinAccept(device.appKey, Buffer.concat([clear, mic]))])
  const { joinEui, devEui, devNonce } = request
  const keys = deriveKeys10(device.appKey, device.appKey, {
    joinEui,
    devEui,
    devNonce,
    joinNonce,
    netId: NET_ID,
  })
  store(network, {
    ...device,
    devAddr,
    nwkSKey: keys.fNwkSIntKey,
    appSKey: keys.appSKey,
    fCntUp: 0,
    fCntDown: 0,
    lastSeen: seen(network),
    usedDevNonces: [...device.usedDevNonces, devNonce],
  })
  const { frequency, dataRate } = frame
  return {
    accepted: true,
    downlinks: [{ phyPayload: accept, frequency, dataRate, delay: JOIN_ACCEPT_DELAY }],
  }
}

/** The whole counter: 16 bits are all there is of a device that does not use 32. */
const counterOf = ({ uses32BitFCnt, fCntUp }: V2Device, low: number): number => {
  if (!uses32BitFCnt) return low
  const high = Math.floor(fCntUp / 0x10000) * 0x10000
  return low >= fCntUp % 0x10000 ? high + low : high + 0x10000 + low
}

const isTooLow = (device: V2Device, fCnt: number): boolean =>
  !device.disableFCntCheck && device.lastSeen > 0n && fCnt <= device.fCntUp && device.fCntUp > 0

const hearData = (network: V2Network, frame: Frame, data: ReceivedDataFrame): HeardFrame => {
  for (const device of known(network)) {
    if (device.devAddr !== data.devAddr || !hasKey(device.nwkSKey)) continue
    const fCnt = counterOf(device, data.fCnt)
    const { devAddr } = device
    const mic = dataMic(device.nwkSKey, { direction: 0, devAddr, fCnt, message: data.message })
    if (!mic.equals(data.mic)) continue
    if (isTooLow(device, fCnt)) return refused(`the counter ${fCnt} is not above ${device.fCntUp}`)
    return take(network, frame, device, data, fCnt)
  }
  return refused('no device matches the frame')
}

const take = (
  network: V2Network,
  frame: Frame,
  device: V2Device,
  data: ReceivedDataFrame,
  fCnt: number,
): HeardFrame => {
  const { devAddr, nwkSKey, appSKey, fCntDown } = device
  store(network, {
    ...device,
    fCntUp: fCnt,
    fCntDown: data.confirmed ? fCntDown + 1 : fCntDown,
    lastSeen: seen(network),
  })
  const key = data.fPort === 0 ? nwkSKey : appSKey
  const uplink = {
    application: device.appId,
    device: device.devId,
    fCnt,
    fPort: data.fPort ?? 0,
    frmPayload: cryptPayload(key, 0, devAddr, fCnt, data.frmPayload).toString('base64'),
  }
  if (!data.confirmed) return { accepted: true, downlinks: [], uplink }
  const message = buildDataFrame({
    confirmed: false,
    up: false,
    devAddr,
    adr: false,
    adrAckReq: false,
    ack: true,
    bit4: false,
    fCnt: fCntDown,
    fOpts: Buffer.alloc(0),
    fPort: undefined,
    frmPayload: Buffer.alloc(0),
  })
  const mic = dataMic(nwkSKey, { direction: 1, devAddr, fCnt: fCntDown, message })
  const { frequency, dataRate } = frame
  const phyPayload = Buffer.concat([message, mic])
  return { accepted: true, uplink, downlinks: [{ phyPayload, frequency, dataRate, delay: RX1_DELAY }] }
}

/** Hears one frame through a gateway: class A, LoRaWAN 1.0.2, no MAC commands. */
export const hearV2Frame = (network: V2Network, frame: Frame): HeardFrame => {
  if (frame.gatewayEui !== network.gatewayEui) return refused(`gateway ${frame.gatewayEui} is not registered`)
  if (!network.reach.networkServer) return refused('the network server is down')
  const join = parseJoinRequest(frame.phyPayload)
  if (join !== undefined) return hearJoin(network, frame, join)
  const data = parseDataFrame(frame.phyPayload)
  if (data === undefined || !data.up) return refused('the frame is neither a join-request nor a data uplink')
  return hearData(network, frame, data)
}
