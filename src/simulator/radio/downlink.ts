import { decode } from '../json/decode.ts'
import { child, copy, listAt, type Message, numberAt, textAt } from '../json/types.ts'
import type { Network } from '../network.ts'
import { requeueFrom } from '../things-stack/downlink-queue.ts'
import { cryptPayload, dataMic } from './crypto.ts'
import { downlinkDataRate } from './data-rates.ts'
import { buildDataFrame, type ReceivedDataFrame } from './frames.ts'
import type { Downlink, Frame } from './hear.ts'
import { encodeCommand, wantedRequests } from './mac-commands.ts'

const optionsLimit = 15
const recentLimit = 20
const statusPeriodMs = 24 * 60 * 60 * 1000
const statusCount = 200

/** Requests that are worth a downlink of their own; a status request rides on others. */
const setUps = new Set(['CID_NEW_CHANNEL', 'CID_RX_PARAM_SETUP', 'CID_RX_TIMING_SETUP'])

const statusDue = (device: Message, now: Date): boolean => {
  const settings = child(device, 'mac_settings') ?? {}
  const off = settings['status_time_periodicity'] === '0s' && settings['status_count_periodicity'] === 0
  if (off) return false
  const last = textAt(device, 'last_dev_status_received_at')
  if (last === undefined) return true
  const count = Number(settings['status_count_periodicity'] ?? statusCount)
  const heard =
    numberAt(device, 'session.last_f_cnt_up') - numberAt(device, 'mac_state.last_dev_status_f_cnt_up')
  return now.getTime() - Date.parse(last) >= statusPeriodMs || (count > 0 && heard >= count)
}

const packCommands = (
  commands: readonly Message[],
): { readonly taken: Message[]; readonly bytes: Buffer } => {
  const taken: Message[] = []
  const parts: Buffer[] = []
  let length = 0
  for (const command of commands) {
    const bytes = encodeCommand(command)
    if (bytes.length === 0 || length + bytes.length > optionsLimit) continue
    taken.push(command)
    parts.push(bytes)
    length += bytes.length
  }
  return { taken, bytes: Buffer.concat(parts) }
}

/** The next network downlink counter (API notes, section 6.6). */
const nextCounter = (device: Message): number => {
  const last = numberAt(device, 'session.last_n_f_cnt_down')
  for (const downlink of listAt(device, 'mac_state.recent_downlinks').reverse()) {
    const type = textAt(downlink, 'payload.m_hdr.m_type')
    if (type === 'UNCONFIRMED_DOWN' || type === 'CONFIRMED_DOWN') return last + 1
    if (type === 'JOIN_ACCEPT') return 0
  }
  return last > 0 ? last + 1 : 0
}

interface Plan {
  readonly fCnt: number
  readonly application: Message | undefined
  readonly requests: Message[]
  readonly options: Buffer
  readonly ack: boolean
}

const planDownlink = (device: Message, data: ReceivedDataFrame, now: Date): Plan | undefined => {
  const shared = textAt(device, 'mac_state.lorawan_version') !== 'MAC_V1_1'
  const [queued] = listAt(device, 'session.queued_application_downlinks')
  const lastN = numberAt(device, 'session.last_n_f_cnt_down')
  const tooLow = queued !== undefined && shared && numberAt(queued, 'f_cnt') <= lastN
  const application = tooLow ? undefined : queued
  const responses = listAt(device, 'mac_state.queued_responses')
  const requests = wantedRequests(device, statusDue(device, now))
  const needed =
    data.confirmed ||
    data.adrAckReq ||
    application !== undefined ||
    responses.length > 0 ||
    requests.some((request) => setUps.has(String(request['cid'])))
  if (!needed) return undefined
  const { taken, bytes } = packCommands([...responses, ...requests])
  const fCnt = application === undefined ? nextCounter(device) : numberAt(application, 'f_cnt')
  return {
    fCnt,
    application,
    requests: taken.filter((command) => requests.includes(command)),
    options: bytes,
    ack: data.confirmed,
  }
}

const build = (device: Message, plan: Plan, uplinkCounter: number): Buffer => {
  const devAddr = textAt(device, 'session.dev_addr') ?? ''
  const key = (name: string): string => textAt(device, `session.keys.${name}.key`) ?? ''
  const is11 = textAt(device, 'mac_state.lorawan_version') === 'MAC_V1_1'
  const { application, fCnt, options } = plan
  const fOpts = is11
    ? cryptPayload(key('nwk_s_enc_key'), 1, devAddr, fCnt, options, application === undefined ? 1 : 2)
    : options
  const message = buildDataFrame({
    confirmed: application?.['confirmed'] === true,
    up: false,
    devAddr,
    adr: true,
    adrAckReq: false,
    ack: plan.ack,
    fCnt,
    fOpts,
    fPort: application === undefined ? undefined : numberAt(application, 'f_port'),
    frmPayload: Buffer.from(textAt(application, 'frm_payload') ?? '', 'base64'),
  })
  const confirmed = is11 && plan.ack ? uplinkCounter : 0
  return Buffer.concat([
    message,
    dataMic(key('s_nwk_s_int_key'), { direction: 1, devAddr, fCnt, message, confirmed }),
  ])
}

const remember = (device: Message, plan: Plan, now: string): void => {
  const session = child(device, 'session') ?? {}
  const state = child(device, 'mac_state') ?? {}
  const shared = state['lorawan_version'] !== 'MAC_V1_1'
  const confirmed = plan.application?.['confirmed'] === true
  if (plan.application === undefined || shared) session['last_n_f_cnt_down'] = plan.fCnt
  if (confirmed) {
    session['last_conf_f_cnt_down'] = plan.fCnt
    state['pending_application_downlink'] = plan.application
    state['last_confirmed_downlink_at'] = now
  }
  if (plan.application !== undefined)
    session['queued_application_downlinks'] = listAt(session, 'queued_application_downlinks').slice(1)
  if (plan.requests.length > 0) state['pending_requests'] = plan.requests
  delete state['queued_responses']
  delete state['rx_windows_available']
  state['last_downlink_at'] = now
  const header = { payload: { m_hdr: { m_type: confirmed ? 'CONFIRMED_DOWN' : 'UNCONFIRMED_DOWN' } } }
  state['recent_downlinks'] = [...listAt(state, 'recent_downlinks'), header].slice(-recentLimit)
}

/** Nothing is due, so the receive windows pass unused. */
const closeWindows = (network: Network, key: string, device: Message): void => {
  const state = child(device, 'mac_state')
  if (state === undefined) return
  delete state['rx_windows_available']
  network.networkServer.set(key, device)
}

/**
 * What the Network Server sends after an uplink: acknowledgement, MAC requests and answers, the first queued
 * application downlink; in the first receive window, after the RX1 delay that the device uses now. Nothing for a muted
 * device (`mac_settings.schedule_downlinks: false`).
 */
export const answerUplink = (
  network: Network,
  key: string,
  frame: Frame,
  data: ReceivedDataFrame,
  uplinkCounter: number,
): readonly Downlink[] => {
  const stored = network.networkServer.get(key)
  if (stored === undefined || child(stored, 'mac_settings')?.['schedule_downlinks'] === false) return []
  const device = copy(stored)
  const plan = planDownlink(device, data, network.clock.now())
  if (plan === undefined) {
    closeWindows(network, key, device)
    return []
  }
  const phyPayload = build(device, plan, uplinkCounter)
  const parameters = child(child(device, 'mac_state'), 'current_parameters')
  const channel = listAt(parameters, 'channels').find(
    (candidate) => Number(candidate['uplink_frequency']) === frame.frequency,
  )
  const downlink: Downlink = {
    phyPayload,
    frequency: Number(channel?.['downlink_frequency'] ?? frame.frequency),
    dataRate: downlinkDataRate(
      textAt(device, 'frequency_plan_id') ?? '',
      numberAt(parameters, 'adr_data_rate_index'),
      numberAt(parameters, 'rx1_data_rate_offset'),
    ),
    delay: Math.max(1, numberAt(parameters, 'rx1_delay')),
  }
  const now = network.clock.nanos()
  remember(device, plan, now)
  network.networkServer.set(key, decode('EndDevice', { ...device, updated_at: now }))
  if (plan.application === undefined) requeueFrom(network, key)
  return [downlink]
}
