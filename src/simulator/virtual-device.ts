import type { SampleDevice, SampleSession } from './sample/devices.ts'
import {
  cryptPayload,
  dataMic,
  decryptJoinAccept,
  deriveKeys10,
  deriveKeys11,
  joinIntegrityKey,
  joinMic,
  reversed,
  uplinkMic11,
} from './radio/crypto.ts'
import { dataRateIndex } from './radio/data-rates.ts'
import {
  buildDataFrame,
  buildJoinRequest,
  type JoinAccept,
  parseDataFrame,
  parseJoinAccept,
  type ReceivedDataFrame,
} from './radio/frames.ts'
import { type Command, parseDownlinkCommands } from './radio/mac-commands.ts'

/** A frame on its way to a gateway: frequency in Hz. */
export interface SentFrame {
  readonly frequency: number
  readonly dataRate: string
  readonly phyPayload: Buffer
}

/** A frame from a gateway: frequency in Hz, delay in seconds after the uplink. */
export interface ReceivedFrame extends SentFrame {
  readonly delay: number
}

/** What a network made of a frame. `uplink` is what its Application Server passed on, payload in base64. */
export interface NetworkAnswer {
  readonly accepted: boolean
  readonly reason?: string
  readonly downlinks: readonly ReceivedFrame[]
  readonly uplink?: {
    readonly application: string
    readonly device: string
    readonly fCnt: number
    readonly fPort: number
    readonly frmPayload: string
  }
}

/** Carries a frame to a network and brings its answer; see `radioOf`. */
export type Send = (frame: SentFrame) => Promise<NetworkAnswer>

/** A data downlink that the device heard and took. */
export interface HeardDownlink {
  /** Whole counter. */
  readonly fCnt: number
  readonly ack: boolean
  readonly confirmed: boolean
  readonly fPort: number | undefined
  /** Decrypted. */
  readonly payload: Buffer
  readonly commands: readonly Command[]
}

/** One transmission as the device saw it. `missed` says why it could not take what was sent. */
export interface UplinkOutcome {
  readonly accepted: boolean
  readonly reason?: string
  readonly fCnt: number
  readonly downlinks: readonly HeardDownlink[]
  readonly missed: readonly string[]
  readonly uplink?: NetworkAnswer['uplink']
}

/** `joined` is true when the device has taken a join-accept. */
export interface JoinOutcome {
  readonly accepted: boolean
  readonly joined: boolean
  readonly reason?: string
  readonly devNonce: number
  readonly accept?: JoinAccept
  readonly missed: readonly string[]
}

export interface UplinkOptions {
  readonly confirmed?: boolean
  readonly payload?: Buffer
  readonly fPort?: number
  /** In Hz; the first of the device's channels when left out. */
  readonly frequency?: number
}

/** What a device is made of. Counters and nonces are the last used ones. */
export interface VirtualDeviceOptions {
  readonly devEui?: string
  readonly joinEui?: string
  readonly lorawanVersion: SampleDevice['lorawanVersion']
  readonly frequencyPlan: string
  readonly rootKeys?: { readonly appKey: string; readonly nwkKey?: string }
  readonly session?: SampleSession
  readonly lastDevNonce?: number
  readonly lastJoinNonce?: number
  /** In seconds. */
  readonly rx1Delay: number
  readonly dataRate: string
  /** In Hz, in the order of the network's channel indexes. */
  readonly channels: readonly number[]
  readonly counterBits?: 16 | 32
}

/** A LoRaWAN device in memory, with its keys and counters. */
export interface VirtualDevice {
  /** Sends a join-request and takes the accept, if one is heard. */
  join(send: Send, frequency?: number): Promise<JoinOutcome>
  /** Sends data and takes what is heard. Throws without a session. */
  uplink(send: Send, options?: UplinkOptions): Promise<UplinkOutcome>
  /** Starts its counters again at 0, as an ABP device does after a power cycle. */
  resetCounters(): void
  /** The session as the device holds it now; undefined before it joined. */
  readonly session: SampleSession | undefined
  /** In seconds. */
  readonly rx1Delay: number
  readonly channels: readonly number[]
  readonly lastDevNonce: number
}

interface State {
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
  acknowledge: boolean
  lastConfirmedDown: number
}

const joinDelay = 5
const statusAnswer = Buffer.from([6, 200, 10])

const initialState = (options: VirtualDeviceOptions): State => ({
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
  acknowledge: false,
  lastConfirmedDown: 0,
})

/** The accept's content, when its integrity code is right. */
const openAccept = (options: VirtualDeviceOptions, devNonce: number, phy: Buffer): JoinAccept | string => {
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

const takeAccept = (options: VirtualDeviceOptions, state: State, accept: JoinAccept): string | undefined => {
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
  return undefined
}

const wholeCounter = (low: number, last: number): number => {
  if (last < 0) return low
  const high = Math.floor(last / 65_536) * 65_536
  return low > last % 65_536 ? high + low : high + 65_536 + low
}

/** Obeys the network's commands and prepares the answers. */
const obey = (state: State, commands: readonly Command[]): void => {
  for (const { id, body } of commands) {
    if (id === 5) state.answers.push(Buffer.from([5, 7]))
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
  }
}

const openDownlink = (
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
  const commands = parseDownlinkCommands(options)
  const key = data.fPort === 0 ? session.keys.nwkSEncKey : session.keys.appSKey
  return {
    fCnt,
    ack: data.ack,
    confirmed: data.confirmed,
    fPort: data.fPort,
    payload: cryptPayload(key, 1, devAddr, fCnt, data.frmPayload),
    commands,
  }
}

/**
 * Makes a device that can join and send, and that takes only what a real one would: in its own receive window, with a
 * right integrity code and a counter above the last.
 */
export const createVirtualDevice = (options: VirtualDeviceOptions): VirtualDevice => {
  const state = initialState(options)
  const is11 = options.lorawanVersion === 'MAC_V1_1'
  const bits = options.counterBits ?? 32

  const listen = (frame: ReceivedFrame, delay: number): string | undefined =>
    frame.delay === delay
      ? undefined
      : `a downlink came ${frame.delay} s after the uplink, the device listens after ${delay} s`

  const join: VirtualDevice['join'] = async (send, frequency) => {
    const { rootKeys, joinEui, devEui } = options
    if (rootKeys === undefined || joinEui === undefined || devEui === undefined)
      throw new Error('this device has no root keys and EUIs to join with')
    state.devNonce += 1
    const { devNonce } = state
    const request = buildJoinRequest(joinEui, devEui, devNonce)
    const phyPayload = Buffer.concat([request, joinMic(rootKeys.nwkKey ?? rootKeys.appKey, request)])
    const answer = await send({
      frequency: frequency ?? options.channels[0] ?? 0,
      dataRate: options.dataRate,
      phyPayload,
    })
    const missed: string[] = []
    for (const frame of answer.downlinks) {
      const accept = listen(frame, joinDelay) ?? openAccept(options, devNonce, frame.phyPayload)
      const refusal = typeof accept === 'string' ? accept : takeAccept(options, state, accept)
      if (refusal === undefined && typeof accept !== 'string')
        return { ...outcome(answer), joined: true, devNonce, accept, missed }
      missed.push(refusal ?? '')
    }
    return { ...outcome(answer), joined: false, devNonce, missed }
  }

  const buildUplink = (
    session: SampleSession,
    fCnt: number,
    frequency: number,
    { confirmed = false, payload = Buffer.from([1]), fPort = 1 }: UplinkOptions,
  ): Buffer => {
    const answers = state.rekeying ? [Buffer.from([11, 1]), ...state.answers] : state.answers
    const clear = Buffer.concat(
      answers.filter((_, index) => Buffer.concat(answers.slice(0, index + 1)).length <= 15),
    )
    const { devAddr, keys } = session
    const fOpts = is11 ? cryptPayload(keys.nwkSEncKey, 0, devAddr, fCnt, clear, 1) : clear
    const message = buildDataFrame({
      confirmed,
      up: true,
      devAddr,
      adr: true,
      adrAckReq: false,
      ack: state.acknowledge,
      fCnt,
      fOpts,
      fPort,
      frmPayload: cryptPayload(keys.appSKey, 0, devAddr, fCnt, payload),
    })
    const input = { devAddr, fCnt, message }
    const rate = dataRateIndex(options.frequencyPlan, options.dataRate) ?? 0
    const channel = Math.max(0, state.channels.indexOf(frequency))
    const mic = is11
      ? uplinkMic11(keys, {
          ...input,
          confirmed: state.acknowledge ? state.lastConfirmedDown : 0,
          dataRate: rate,
          channel,
        })
      : dataMic(keys.fNwkSIntKey, { ...input, direction: 0 })
    return Buffer.concat([message, mic])
  }

  const uplink: VirtualDevice['uplink'] = async (send, given = {}) => {
    const { session } = state
    if (session === undefined) throw new Error('this device has no session: it has to join first')
    const fCnt = bits === 16 ? (state.up + 1) % 65_536 : state.up + 1
    state.up = fCnt
    const frequency = given.frequency ?? state.channels[0] ?? 0
    const phyPayload = buildUplink(session, fCnt, frequency, given)
    state.acknowledge = false
    const answer = await send({ frequency, dataRate: options.dataRate, phyPayload })
    const downlinks: HeardDownlink[] = []
    const missed: string[] = []
    for (const frame of answer.downlinks) {
      const late = listen(frame, state.rx1Delay)
      const data = parseDataFrame(frame.phyPayload)
      const heard =
        late ?? (data === undefined ? 'not a data frame' : openDownlink(state, session, is11, data, fCnt))
      if (typeof heard === 'string') missed.push(heard)
      else downlinks.push(heard)
    }
    // Answers are repeated until a downlink is heard, so that a lost uplink loses nothing.
    if (downlinks.length > 0 || answer.accepted) state.answers = []
    for (const { commands } of downlinks) obey(state, commands)
    return {
      ...outcome(answer),
      fCnt,
      downlinks,
      missed,
      ...(answer.uplink === undefined ? {} : { uplink: answer.uplink }),
    }
  }

  return {
    join,
    uplink,
    resetCounters: () => {
      state.up = -1
      state.down = -1
      state.downA = -1
    },
    get session() {
      const { session } = state
      if (session === undefined) return undefined
      return {
        ...session,
        lastFCntUp: Math.max(0, state.up),
        lastNFCntDown: Math.max(0, state.down),
        lastAFCntDown: Math.max(0, is11 ? state.downA : state.down),
      }
    },
    get rx1Delay() {
      return state.rx1Delay
    },
    get channels() {
      return [...state.channels]
    },
    get lastDevNonce() {
      return state.devNonce
    },
  }
}

const outcome = ({
  accepted,
  reason,
}: NetworkAnswer): { readonly accepted: boolean; readonly reason?: string } => ({
  accepted,
  ...(reason === undefined ? {} : { reason }),
})

/** The virtual device of a sample device; a device with a pending session only starts with that one. */
export const virtualDeviceOf = (sample: SampleDevice): VirtualDevice => {
  const session = sample.session ?? sample.pendingSession
  const fresh = sample.session === undefined && session !== undefined
  const device = createVirtualDevice({
    lorawanVersion: sample.lorawanVersion,
    frequencyPlan: sample.frequencyPlan,
    lastDevNonce: sample.lastDevNonce,
    lastJoinNonce: sample.lastJoinNonce,
    rx1Delay: sample.rx1Delay,
    dataRate: sample.dataRate,
    channels: sample.channels,
    counterBits: sample.counterBits,
    ...(sample.devEui === undefined ? {} : { devEui: sample.devEui }),
    ...(sample.joinEui === undefined ? {} : { joinEui: sample.joinEui }),
    ...(sample.rootKeys === undefined ? {} : { rootKeys: sample.rootKeys }),
    ...(session === undefined ? {} : { session }),
  })
  if (fresh) device.resetCounters()
  return device
}

/** Sends frames to a simulated network through a gateway, `POST {url}/simulator/v1/frames`. */
export const radioOf =
  (network: { readonly url: string; readonly gatewayEui: string }): Send =>
  async ({ frequency, dataRate, phyPayload }) => {
    const response = await fetch(`${network.url}/simulator/v1/frames`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        gatewayEui: network.gatewayEui,
        frequency,
        dataRate,
        phyPayload: phyPayload.toString('base64'),
      }),
    })
    if (response.status !== 200) throw new Error(`the simulator refused a frame: ${await response.text()}`)
    const answer = (await response.json()) as Omit<NetworkAnswer, 'downlinks'> & {
      readonly downlinks: readonly (Omit<ReceivedFrame, 'phyPayload'> & { readonly phyPayload: string })[]
    }
    return {
      ...answer,
      downlinks: answer.downlinks.map((downlink) => ({
        ...downlink,
        phyPayload: Buffer.from(downlink.phyPayload, 'base64'),
      })),
    }
  }
