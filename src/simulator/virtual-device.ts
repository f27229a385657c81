import { joinMic } from './radio/crypto.ts'
import { buildJoinRequest, parseDataFrame } from './radio/frames.ts'
import type { SampleDevice } from './sample/types.ts'
import { buildUplink } from './virtual/build.ts'
import { asksToRejoin, hearTransmissions } from './virtual/hear.ts'
import {
  forgetAnswers,
  initialState,
  obey,
  openAccept,
  openDownlink,
  restart,
  takeAccept,
} from './virtual/state.ts'
import type {
  HeardDownlink,
  NetworkAnswer,
  ReceivedFrame,
  VirtualDevice,
  VirtualDeviceOptions,
} from './virtual/types.ts'

export { antennaOf, radioOf } from './virtual/radio.ts'
export type {
  AirFrame,
  HeardDownlink,
  HeardTransmission,
  HearingOutcome,
  JoinOutcome,
  MulticastSession,
  NetworkAnswer,
  RejoinTrigger,
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

  const followTrigger = (downlinks: readonly HeardDownlink[]): void => {
    const told = downlinks.some((downlink) => asksToRejoin(options.rejoinOn, downlink))
    if (told && options.rootKeys !== undefined) restart(options, state)
  }

  const uplink: VirtualDevice['uplink'] = async (send, given = {}) => {
    const { session } = state
    if (session === undefined) throw new Error('this device has no session: it has to join first')
    const delay = state.rx1Delay
    const fCnt = bits === 16 ? (state.up + 1) % 65_536 : state.up + 1
    state.up = fCnt
    const frequency = given.frequency ?? state.channels[0] ?? 0
    const phyPayload = buildUplink(options, state, session, fCnt, frequency, given)
    state.acknowledge = false
    const answer = await send({ frequency, dataRate: options.dataRate, phyPayload })
    const downlinks: HeardDownlink[] = []
    const missed: string[] = []
    for (const frame of answer.downlinks) {
      const late = listen(frame, delay)
      const data = parseDataFrame(frame.phyPayload)
      const heard =
        late ?? (data === undefined ? 'not a data frame' : openDownlink(state, session, is11, data, fCnt))
      if (typeof heard === 'string') missed.push(heard)
      else downlinks.push(heard)
    }
    forgetAnswers(state, downlinks.length > 0)
    for (const { commands } of downlinks) obey(options, state, commands)
    followTrigger(downlinks)
    return {
      ...outcome(answer),
      fCnt,
      downlinks,
      missed,
      ...(answer.uplink === undefined ? {} : { uplink: answer.uplink }),
    }
  }

  const hear: VirtualDevice['hear'] = (transmissions) => {
    const heard = hearTransmissions(options, state, transmissions)
    followTrigger(heard.downlinks)
    return heard
  }

  return {
    join,
    uplink,
    hear,
    powerCycle: () => restart(options, state),
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
    get wantsJoin() {
      return options.rootKeys !== undefined && state.session === undefined
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

const classOf = ({ lorawanVersion, multicast, network }: SampleDevice): 'A' | 'B' | 'C' => {
  if (network?.['supports_class_c'] === true && (multicast || lorawanVersion !== 'MAC_V1_1')) return 'C'
  return network?.['supports_class_b'] === true ? 'B' : 'A'
}

/**
 * The virtual device of a sample device; a device with a pending session only starts with that one. That of a
 * multicast group is a member: it holds the group's session and hears what is sent to the group.
 * @param more options that it has besides, such as groups or what makes it join
 */
export const virtualDeviceOf = (
  sample: SampleDevice,
  more: Partial<VirtualDeviceOptions> = {},
): VirtualDevice => {
  const session = sample.session ?? sample.pendingSession
  const fresh = sample.session === undefined && session !== undefined
  const listens = sample.listens === undefined ? {} : { listens: sample.listens }
  const group =
    session === undefined || !sample.multicast
      ? {}
      : {
          multicast: [
            { devAddr: session.devAddr, keys: session.keys, lastFCntDown: session.lastNFCntDown, ...listens },
          ],
        }
  const device = createVirtualDevice({
    lorawanVersion: sample.lorawanVersion,
    frequencyPlan: sample.frequencyPlan,
    lastDevNonce: sample.lastDevNonce,
    lastJoinNonce: sample.lastJoinNonce,
    rx1Delay: sample.rx1Delay,
    dataRate: sample.dataRate,
    channels: sample.channels,
    counterBits: sample.counterBits,
    deviceClass: classOf(sample),
    ...listens,
    ...group,
    ...(sample.devEui === undefined ? {} : { devEui: sample.devEui }),
    ...(sample.joinEui === undefined ? {} : { joinEui: sample.joinEui }),
    ...(sample.rootKeys === undefined ? {} : { rootKeys: sample.rootKeys }),
    ...(session === undefined ? {} : { session }),
    ...more,
  })
  if (fresh) device.resetCounters()
  return device
}
