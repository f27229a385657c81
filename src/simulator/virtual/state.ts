import {
  cryptPayload,
  dataMic,
  decryptJoinAccept,
  deriveKeys10,
  deriveKeys11,
  joinIntegrityKey,
  joinMic,
  reversed,
} from '../radio/crypto.ts'
import { downlinkRate } from '../radio/data-rates.ts'
import { type JoinAccept, parseJoinAccept, type ReceivedDataFrame } from '../radio/frames.ts'
import { type Command, parseDownlinkCommands } from '../radio/mac-commands.ts'
import type { Listening, SampleSession } from '../sample/types.ts'
import type { HeardDownlink, VirtualDeviceOptions } from './types.ts'

/** What a device remembers. */
export interface State {
  session: SampleSession | undefined
  /** -1 before the first frame. */
  up: number
  down: number
  downA: number
  devNonce: number
  joinNonce: number
  rx1Delay: number
  channels: number[]
  /** MAC answers for the next uplink. */
  answers: Buffer[]
  rekeying: boolean
  /** A LoRaWAN 1.1 device says that it is class C until the network has confirmed it. */
  indicating: boolean
  listens: Listening | undefined
  /** Last counter of each group, by DevAddr. */
  readonly groups: Map<string, number>
  acknowledge: boolean
  lastConfirmedDown: number
}

const statusAnswer = Buffer.from([6, 200, 10])

/** A device that has just been switched on with what it was given. */
export const initialState = (options: VirtualDeviceOptions): State => ({
  session: options.session,
  up: options.session?.lastFCntUp ?? -1,
  down:
    options.session === undefined || options.session.lastNFCntDown === 0 ? -1 : options.session.lastNFCntDown,
  downA: options.session?.lastAFCntDown ?? 0,
  devNonce: options.lastDevNonce ?? 0,
  joinNonce: options.lastJoinNonce ?? 0,
  rx1Delay: options.rx1Delay,
  channels: [...options.channels],
  answers: [],
  rekeying: false,
  indicating: false,
  listens: options.listens,
  groups: new Map((options.multicast ?? []).map(({ devAddr, lastFCntDown }) => [devAddr, lastFCntDown])),
  acknowledge: false,
  lastConfirmedDown: 0,
})

/** The accept's content, when its integrity code is right. */
export const openAccept = (
  options: VirtualDeviceOptions,
  devNonce: number,
  phy: Buffer,
): JoinAccept | string => {
  const { rootKeys, joinEui = '', devEui = '' } = options
  if (rootKeys === undefined || phy[0] !== 0x20) return 'not a join-accept'
  const key = rootKeys.nwkKey ?? rootKeys.appKey
  const clear = decryptJoinAccept(key, phy.subarray(1))
  const body = clear.subarray(0, -4)
  const accept = parseJoinAccept(body)
  const covered = Buffer.concat([phy.subarray(0, 1), body])
  const nonce = Buffer.from([devNonce & 0xff, devNonce >> 8])
  const code = accept.optNeg
    ? joinMic(
        joinIntegrityKey(key, devEui),
        Buffer.concat([Buffer.from([0xff]), reversed(joinEui), nonce, covered]),
      )
    : joinMic(key, covered)
  return code.equals(clear.subarray(-4)) ? accept : 'the integrity code of the join-accept does not match'
}

/** A class C device listens at another data rate from now on. */
const listenAt = (options: VirtualDeviceOptions, state: State, index: number): void => {
  const dataRate = downlinkRate(options.frequencyPlan, index)
  if (state.listens !== undefined && options.deviceClass === 'C' && dataRate !== undefined)
    state.listens = { ...state.listens, dataRate }
}

/** Makes the accept's session the device's; a text says why it refuses. */
export const takeAccept = (
  options: VirtualDeviceOptions,
  state: State,
  accept: JoinAccept,
): string | undefined => {
  const { rootKeys, joinEui = '', devEui = '', lorawanVersion } = options
  if (rootKeys === undefined) return 'no root keys'
  const counts = lorawanVersion === 'MAC_V1_0_4' || lorawanVersion === 'MAC_V1_1'
  if (counts && accept.joinNonce <= state.joinNonce)
    return `JoinNonce ${accept.joinNonce} is not above ${state.joinNonce}`
  const network = rootKeys.nwkKey ?? rootKeys.appKey
  const context = {
    joinEui,
    devEui,
    devNonce: state.devNonce,
    joinNonce: accept.joinNonce,
    netId: accept.netId,
  }
  const keys = accept.optNeg
    ? deriveKeys11(network, rootKeys.appKey, context)
    : deriveKeys10(network, network, context)
  state.joinNonce = accept.joinNonce
  state.session = { devAddr: accept.devAddr, keys, lastFCntUp: 0, lastNFCntDown: 0, lastAFCntDown: 0 }
  state.up = -1
  state.down = -1
  state.downA = -1
  state.rx1Delay = accept.rxDelay
  state.channels = [
    ...options.channels.slice(0, accept.frequencies.length > 0 ? 3 : undefined),
    ...accept.frequencies,
  ]
  state.answers = []
  state.rekeying = accept.optNeg
  state.indicating = accept.optNeg && options.deviceClass === 'C'
  listenAt(options, state, accept.rx2DataRate)
  return undefined
}

export const wholeCounter = (low: number, last: number): number => {
  if (last < 0) return low
  const high = Math.floor(last / 65_536) * 65_536
  return low > last % 65_536 ? high + low : high + 65_536 + low
}

/** Obeys the network's commands and prepares the answers. */
export const obey = (options: VirtualDeviceOptions, state: State, commands: readonly Command[]): void => {
  for (const { id, body } of commands) {
    if (id === 5) {
      listenAt(options, state, (body[0] ?? 0) & 15)
      state.answers.push(Buffer.from([5, 7]))
    }
    if (id === 6) state.answers.push(statusAnswer)
    if (id === 7) {
      state.channels[body[0] ?? 0] = body.readUIntLE(1, 3) * 100
      state.answers.push(Buffer.from([7, 3]))
    }
    if (id === 8) {
      state.rx1Delay = Math.max(1, (body[0] ?? 0) & 15)
      state.answers.push(Buffer.from([8]))
    }
    if (id === 11) state.rekeying = false
    if (id === 32) state.indicating = false
  }
}

/** Answers that are said in every uplink until a downlink is heard (LoRaWAN 1.0.2, 5.4 and 5.7). */
const sticky = new Set([5, 8])

/** An uplink has gone out: most answers are said once, heard or not. */
export const forgetAnswers = (state: State, heard: boolean): void => {
  state.answers = heard ? [] : state.answers.filter(([id]) => sticky.has(id ?? 0))
}

/** Switches the device off and on. What is in its flash stays: keys, nonces and, for ABP, the session. */
export const restart = (options: VirtualDeviceOptions, state: State): void => {
  if (options.rootKeys !== undefined) state.session = undefined
  state.up = -1
  state.down = -1
  state.downA = -1
  state.rx1Delay = options.rx1Delay
  state.channels = [...options.channels]
  state.answers = []
  state.rekeying = false
  state.indicating = false
  state.listens = options.listens
  state.acknowledge = false
  state.lastConfirmedDown = 0
}

/** Reads a downlink, or says why it is not taken. */
export const openDownlink = (
  state: State,
  session: SampleSession,
  is11: boolean,
  data: ReceivedDataFrame,
  uplinkCounter: number,
): HeardDownlink | string => {
  if (data.up || data.devAddr !== session.devAddr) return 'for another device'
  const application = is11 && data.fPort !== undefined && data.fPort > 0
  const last = application ? state.downA : state.down
  const fCnt = wholeCounter(data.fCnt, last)
  const { direction, devAddr } = { direction: 1 as const, devAddr: session.devAddr }
  const confirmed = is11 && data.ack ? uplinkCounter : 0
  const code = dataMic(session.keys.sNwkSIntKey, {
    direction,
    devAddr,
    fCnt,
    message: data.message,
    confirmed,
  })
  if (!code.equals(data.mic))
    return `the integrity code of a downlink does not match, or its counter is not above ${last}`
  if (application) state.downA = fCnt
  else state.down = fCnt
  if (data.confirmed) {
    state.acknowledge = true
    state.lastConfirmedDown = fCnt
  }
  const options = is11
    ? cryptPayload(session.keys.nwkSEncKey, 1, devAddr, fCnt, data.fOpts, application ? 2 : 1)
    : data.fOpts
  const key = data.fPort === 0 ? session.keys.nwkSEncKey : session.keys.appSKey
  const payload = cryptPayload(key, 1, devAddr, fCnt, data.frmPayload)
  const commands = parseDownlinkCommands(data.fPort === 0 ? payload : options)
  return {
    fCnt,
    ack: data.ack,
    confirmed: data.confirmed,
    fPort: data.fPort,
    payload,
    commands,
  }
}
