import type { RunningSimulator, SampleDevice } from '../../simulator/index.ts'
import { radioOf, type Send, type VirtualDevice, virtualDeviceOf } from '../../simulator/virtual-device.ts'
import { JOINING, KEPT } from './plan.ts'
import type { Teller } from './teller.ts'

/** The devices of the demo, with the keys and counters that they have, and both networks in reach. */
export interface Radio {
  readonly devices: ReadonlyMap<string, { readonly sample: SampleDevice; readonly device: VirtualDevice }>
  readonly source: Send
  readonly target: Send
}

export const radioFor = ({ networks: [source, target], sampleDevices }: RunningSimulator): Radio => ({
  devices: new Map(
    sampleDevices.map((sample) => [sample.id, { sample, device: virtualDeviceOf(sample) }] as const),
  ),
  source: radioOf(source),
  target: radioOf(target),
})

const number = (value: number): string => value.toLocaleString('en-US')

const WIDTHS = [12, 7, 24, 20] as const

/** Before anything is done the source serves every device; without this, its silence later would prove nothing. */
export const hearOnSource = async (radio: Radio, teller: Teller): Promise<void> => {
  let answered = 0
  for (const id of [...KEPT, ...JOINING]) {
    const sent = await deviceOf(radio, id).device.uplink(radio.source, { confirmed: true })
    if (sent.accepted && sent.downlinks[0]?.ack === true) answered += 1
  }
  const all = KEPT.length + JOINING.length
  teller.claim(`the source answers all ${all} devices`, answered === all, `${answered} of ${all}`)
}

/** Every device sends on the target: those with a session go on, the others join first. */
export const hearOnTarget = async (radio: Radio, teller: Teller): Promise<void> => {
  teller.row(['device', 'session', 'uplink counter', 'downlink counter'], WIDTHS)
  let heard = 0
  for (const id of KEPT) if (await goesOn(radio, id, teller)) heard += 1
  for (const id of JOINING) if (await joinsAnew(radio, id, teller)) heard += 1
  teller.say('')
  const all = KEPT.length + JOINING.length
  teller.claim(
    'the target heard every device, with the next counter, and answered it',
    heard === all,
    `${heard} of ${all}`,
  )
}

const goesOn = async (radio: Radio, id: string, teller: Teller): Promise<boolean> => {
  const { device } = deviceOf(radio, id)
  const before = device.session
  const sent = await device.uplink(radio.target, { confirmed: true })
  const [down] = sent.downlinks
  const up = `${number(before?.lastFCntUp ?? 0)} -> ${number(sent.fCnt)} ${sent.accepted ? 'heard' : 'REFUSED'}`
  const answer =
    down === undefined ? 'no answer' : `${number(before?.lastNFCntDown ?? 0)} -> ${number(down.fCnt)}`
  teller.row([id, 'kept', up, answer], WIDTHS)
  return sent.accepted && down?.ack === true && down.fCnt === (before?.lastNFCntDown ?? 0) + 1
}

const joinsAnew = async (radio: Radio, id: string, teller: Teller): Promise<boolean> => {
  const { device } = deviceOf(radio, id)
  const before = device.session?.devAddr
  const { joined } = await device.join(radio.target)
  if (!joined) {
    teller.row([id, 'new', 'did not join'], WIDTHS)
    return false
  }
  const sent = await device.uplink(radio.target, { confirmed: true })
  const address = device.session?.devAddr
  const up = `from ${number(sent.fCnt)} ${sent.accepted ? 'heard' : 'REFUSED'}`
  teller.row([id, 'new', up, `DevAddr ${before ?? '?'} -> ${address ?? '?'}`], WIDTHS)
  return sent.accepted && sent.downlinks.length > 0 && address !== before
}

/** Nobody may be served twice: the source is asked for an answer, by a confirmed uplink and by a join. */
export const askSource = async (radio: Radio, teller: Teller): Promise<void> => {
  let answers = 0
  let asked = 0
  for (const id of [...KEPT, ...JOINING]) {
    const { sample, device } = deviceOf(radio, id)
    const uplink = await device.uplink(radio.source, { confirmed: true })
    asked += 1
    if (uplink.downlinks.length + uplink.missed.length > 0) answers += 1
    if (sample.rootKeys === undefined) continue
    const join = await device.join(radio.source)
    asked += 1
    if (join.joined || join.missed.length > 0) answers += 1
  }
  teller.claim(
    `the source answers none of ${asked} confirmed uplinks and joins`,
    answers === 0,
    `${answers} answers`,
  )
}

const deviceOf = (
  { devices }: Radio,
  id: string,
): { readonly sample: SampleDevice; readonly device: VirtualDevice } => {
  const found = devices.get(id)
  if (found === undefined) throw new Error(`the sample has no device ${id}`)
  return found
}
