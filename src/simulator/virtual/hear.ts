import { cryptPayload, dataMic } from '../radio/crypto.ts'
import { parseDataFrame, type ReceivedDataFrame } from '../radio/frames.ts'
import type { Listening } from '../sample/types.ts'
import { openDownlink, type State, wholeCounter } from './state.ts'
import type {
  AirFrame,
  HeardDownlink,
  HeardTransmission,
  HearingOutcome,
  MulticastSession,
  RejoinTrigger,
  VirtualDeviceOptions,
} from './types.ts'

const openGroup = (
  state: State,
  { devAddr, keys }: MulticastSession,
  data: ReceivedDataFrame,
): HeardDownlink | string => {
  const last = state.groups.get(devAddr) ?? -1
  const fCnt = wholeCounter(data.fCnt, last)
  const code = dataMic(keys.sNwkSIntKey, { direction: 1, devAddr, fCnt, message: data.message })
  if (!code.equals(data.mic))
    return `the integrity code of a group's downlink does not match, or its counter is not above ${last}`
  state.groups.set(devAddr, fCnt)
  return {
    fCnt,
    ack: data.ack,
    confirmed: data.confirmed,
    fPort: data.fPort,
    payload: cryptPayload(keys.appSKey, 1, devAddr, fCnt, data.frmPayload),
    commands: [],
  }
}

const listensTo = (listens: Listening | undefined, frame: AirFrame): string | undefined =>
  listens === undefined || (listens.frequency === frame.frequency && listens.dataRate === frame.dataRate)
    ? undefined
    : `a frame came at ${frame.frequency} Hz, ${frame.dataRate}; the device listens at ${listens.frequency} Hz, ${listens.dataRate}`

/** Takes one frame; undefined for one that is for somebody else. */
const take = (
  options: VirtualDeviceOptions,
  state: State,
  frame: AirFrame,
): HeardTransmission | string | undefined => {
  const data = frame.class === 'A' ? undefined : parseDataFrame(frame.phyPayload)
  if (data === undefined || data.up) return undefined
  const { devAddr } = data
  const group = (options.multicast ?? []).find((candidate) => candidate.devAddr === devAddr)
  const { session } = state
  if (group === undefined && session?.devAddr !== devAddr) return undefined
  const deviceClass = options.deviceClass ?? 'A'
  if (deviceClass !== frame.class)
    return `a class ${frame.class} frame came, the device is class ${deviceClass}`
  const elsewhere = listensTo(group === undefined ? state.listens : group.listens, frame)
  if (elsewhere !== undefined) return elsewhere
  const is11 = options.lorawanVersion === 'MAC_V1_1'
  const heard =
    group !== undefined
      ? openGroup(state, group, data)
      : session === undefined
        ? 'the device has no session'
        : openDownlink(state, session, is11, data, Math.max(0, state.up))
  return typeof heard === 'string' ? heard : { ...heard, devAddr, multicast: group !== undefined }
}

/** Takes what class B and C frames are for the device. */
export const hearTransmissions = (
  options: VirtualDeviceOptions,
  state: State,
  transmissions: readonly AirFrame[],
): HearingOutcome => {
  const downlinks: HeardTransmission[] = []
  const missed: string[] = []
  for (const frame of transmissions) {
    const heard = take(options, state, frame)
    if (typeof heard === 'string') missed.push(heard)
    else if (heard !== undefined) downlinks.push(heard)
  }
  return { downlinks, missed }
}

/** Whether a downlink tells the device to join anew. */
export const asksToRejoin = (
  trigger: RejoinTrigger | undefined,
  { fPort, payload }: Pick<HeardDownlink, 'fPort' | 'payload'>,
): boolean =>
  trigger !== undefined &&
  fPort === trigger.fPort &&
  (trigger.payload === undefined || payload.equals(trigger.payload))
