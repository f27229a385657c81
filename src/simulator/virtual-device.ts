import { cryptPayload, dataMic, joinMic, uplinkMic11 } from './radio/crypto.ts'
import { dataRateIndex } from './radio/data-rates.ts'
import { buildDataFrame, buildJoinRequest, parseDataFrame } from './radio/frames.ts'
import type { SampleDevice, SampleSession } from './sample/types.ts'
import { initialState, obey, openAccept, openDownlink, takeAccept } from './virtual/state.ts'
import type {
  HeardDownlink,
  NetworkAnswer,
  ReceivedFrame,
  UplinkOptions,
  VirtualDevice,
  VirtualDeviceOptions,
} from './virtual/types.ts'

export { radioOf } from './virtual/radio.ts'
export type {
  HeardDownlink,
  JoinOutcome,
  NetworkAnswer,
  Send,
  UplinkOutcome,
  VirtualDevice,
} from './virtual/types.ts'

const joinDelay = 5

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
