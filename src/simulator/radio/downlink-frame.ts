import { child, listAt, type Message, numberAt, textAt } from '../json/types.ts'
import { ulid } from '../things-stack/ulid.ts'
import { cryptPayload, dataMic } from './crypto.ts'
import { buildDataFrame } from './frames.ts'
import { sharesCounter } from './network-queue.ts'

const recentLimit = 5

/** Bytes of MAC commands that FOpts carries; more go alone, on port 0. */
export const optionsLimit = 15

/** A downlink before it is built. */
export interface DownlinkPlan {
  readonly class: 'A' | 'B' | 'C'
  /** Whole counter. */
  readonly fCnt: number
  /** The application's part, encrypted. */
  readonly item: Message | undefined
  /** What stays in the queue. */
  readonly rest: readonly Message[]
  readonly requests: readonly Message[]
  /** MAC commands in clear. */
  readonly options: Buffer
  readonly ack: boolean
}

/** The next network downlink counter (API notes, section 6.6). */
export const nextCounter = (device: Message): number => {
  const last = numberAt(device, 'session.last_n_f_cnt_down')
  for (const downlink of listAt(device, 'mac_state.recent_downlinks').reverse()) {
    const type = textAt(downlink, 'payload.m_hdr.m_type')
    if (type === 'UNCONFIRMED_DOWN' || type === 'CONFIRMED_DOWN') return last + 1
    if (type === 'JOIN_ACCEPT') return 0
  }
  return last > 0 ? last + 1 : 0
}

/** Builds the frame with its integrity code; in LoRaWAN 1.1 an acknowledgement covers the uplink's counter. */
export const buildDownlink = (device: Message, plan: DownlinkPlan): Buffer => {
  const devAddr = textAt(device, 'session.dev_addr') ?? ''
  const key = (name: string): string => textAt(device, `session.keys.${name}.key`) ?? ''
  const is11 = !sharesCounter(child(device, 'mac_state'))
  const { item, fCnt, options } = plan
  const alone = options.length > optionsLimit
  const encrypt = (constant: number): Buffer =>
    cryptPayload(key('nwk_s_enc_key'), 1, devAddr, fCnt, options, constant)
  const inOptions = is11 ? encrypt(item === undefined ? 1 : 2) : options
  const message = buildDataFrame({
    confirmed: item?.['confirmed'] === true,
    up: false,
    devAddr,
    adr: true,
    adrAckReq: false,
    ack: plan.ack,
    bit4: plan.class !== 'C' && plan.rest.length > 0,
    fCnt,
    fOpts: alone ? Buffer.alloc(0) : inOptions,
    fPort: alone ? 0 : item === undefined ? undefined : numberAt(item, 'f_port'),
    frmPayload: alone ? encrypt(0) : Buffer.from(textAt(item, 'frm_payload') ?? '', 'base64'),
  })
  const confirmed = is11 && plan.ack ? numberAt(device, 'session.last_f_cnt_up') : 0
  return Buffer.concat([
    message,
    dataMic(key('s_nwk_s_int_key'), { direction: 1, devAddr, fCnt, message, confirmed }),
  ])
}

/** Writes into the record what the Network Server remembers of a downlink that was sent. */
export const rememberDownlink = (device: Message, plan: DownlinkPlan, now: string): void => {
  const session = child(device, 'session') ?? {}
  const state = child(device, 'mac_state') ?? {}
  const { item, fCnt } = plan
  const confirmed = item?.['confirmed'] === true
  if (item === undefined || (sharesCounter(state) && fCnt > numberAt(session, 'last_n_f_cnt_down')))
    session['last_n_f_cnt_down'] = fCnt
  if (confirmed) {
    session['last_conf_f_cnt_down'] = fCnt
    state['pending_application_downlink'] = item
  }
  session['queued_application_downlinks'] = [...plan.rest]
  if (plan.class === 'A') {
    state['pending_requests'] = [...plan.requests]
    delete state['queued_responses']
  } else state['last_network_initiated_downlink_at'] = now
  if (confirmed || plan.requests.length > 0) state['last_confirmed_downlink_at'] = now
  delete state['rx_windows_available']
  state['last_downlink_at'] = now
  const given = item?.['correlation_ids']
  const sent = {
    payload: {
      m_hdr: { m_type: confirmed ? 'CONFIRMED_DOWN' : 'UNCONFIRMED_DOWN' },
      mac_payload: { f_port: numberAt(item, 'f_port'), full_f_cnt: fCnt },
    },
    correlation_ids: [
      ...(Array.isArray(given) ? given.map(String) : []),
      `ns:downlink:${ulid()}`,
      `ns:transmission:${ulid()}`,
    ].sort(),
  }
  const earlier = listAt(state, 'recent_downlinks').map(({ payload }) => ({ payload }))
  state['recent_downlinks'] = [...earlier, sent].slice(-recentLimit)
}
