import type { DeviceChange } from '../domain/change-set.ts'
import type { Route, StepName } from '../domain/journal.ts'
import { plural } from './words.ts'

/** How a device changes network, as a reviewer has to know it: by its route, its handover and the steps left. */

/** Now or later. */
export const hasStep = (device: DeviceChange, ...steps: readonly StepName[]): boolean =>
  steps.some((step) => device.steps.includes(step) || device.later.includes(step))

export const hasRoute = (device: DeviceChange, ...routes: readonly Route[]): boolean =>
  device.route !== undefined && routes.includes(device.route)

export const hasFinding = (device: Pick<DeviceChange, 'findings'>, code: string): boolean =>
  device.findings.some((finding) => finding.code === code)

/**
 * The device goes over to the target by this change set, now or when it is resumed. A multicast group is neither
 * muted nor heard: it has crossed with its final write.
 */
export const isCrossing = (device: DeviceChange): boolean =>
  hasStep(device, 'unmute-target') ||
  (device.route === 'multicast' && hasStep(device, 'delete-network', 'final-network'))

/** Something of it is deleted on the source, now or later. */
export const isDeleting = (device: DeviceChange): boolean =>
  hasStep(device, 'delete-application', 'delete-network', 'delete-join', 'delete-identity')

export const isReprogrammed = (device: DeviceChange): boolean =>
  hasRoute(device, 'otaa-reprogrammed', 'abp-reprogrammed')

/** Going to the target or there already, and not heard by it yet. */
export const isAwaited = (device: DeviceChange): boolean => hasStep(device, 'hear')

/** Somebody muted it on the source before, and it is moved as it is: it is let go, and not unmuted. */
export const staysMuted = (device: Pick<DeviceChange, 'findings'>): boolean =>
  hasFinding(device, 'StaysMuted')

/** Of the engine, in the words of the state. */
export const HELD_BY_ESCROW = 'held-by-escrow'

/** Deleted on the source, not served by the target yet: no network has it, and only the escrow holds its keys. */
export const isHeldByEscrow = (device: DeviceChange): boolean =>
  device.status === HELD_BY_ESCROW ||
  (device.handover === 'delete-first' &&
    device.action === 'resume' &&
    hasStep(device, 'set-network') &&
    !hasStep(device, 'delete-network'))

/** Its source can not be muted: it loses the keys right before the target speaks. */
export const isCleared = (device: DeviceChange): boolean => hasStep(device, 'clear-source')

/** Only a person can stop whoever serves it. */
export const isConfirmedByHand = (device: DeviceChange): boolean => hasStep(device, 'confirm-handover')

/** The source goes on serving the session of a device that joins anew, until it has joined on the target. */
export const staysServed = (device: DeviceChange): boolean =>
  device.route === 'joining-anew' &&
  device.handover === undefined &&
  isCrossing(device) &&
  hasStep(device, 'prevent-rejoin') &&
  !hasStep(device, 'stop-source')

const WAYS = [
  'stop-first',
  'cleared',
  'by-hand',
  'served',
  'delete-first',
  'triggered',
  're-programmed',
  'multicast',
] as const
/** Which network serves a device when: what a person at night has to know first. */
export type Way = (typeof WAYS)[number]

const WAY_OF_ROUTE: Readonly<Record<Route, Way>> = {
  'session-kept': 'stop-first',
  'joining-anew': 'stop-first',
  'joining-triggered': 'triggered',
  'abp-kept': 'stop-first',
  'abp-reset': 'stop-first',
  'otaa-reprogrammed': 're-programmed',
  'abp-reprogrammed': 're-programmed',
  multicast: 'multicast',
}

const wayOf = (device: DeviceChange): Way => {
  const { handover, route } = device
  if (isCleared(device)) return 'cleared'
  if (isConfirmedByHand(device)) return 'by-hand'
  if (staysServed(device)) return 'served'
  return handover ?? (route === undefined ? 'stop-first' : WAY_OF_ROUTE[route])
}

/** Completes "5 of them change network: they ...", and "3 ...". */
export const wayWords = (way: Way, number: number): string => {
  const are = plural(number, 'is', 'are')
  switch (way) {
    case 'stop-first':
      return `${are} stopped on the source, then served by the target`
    case 'cleared':
      return `${plural(number, 'loses its', 'lose their')} keys on the source, then ${are} served by the target`
    case 'by-hand':
      return `${are} stopped by you where ${plural(number, 'it is', 'they are')} served; once you have confirmed it, the target serves ${plural(number, 'it', 'them')}`
    case 'served':
      return `${plural(number, 'joins', 'join')} on the target, and ${are} served by the source until then`
    case 'delete-first':
      return `${are} deleted on the source, then created on the target`
    case 'triggered':
      return `${are} told by the source to join, and served by it until ${plural(number, 'it has', 'they have')}`
    case 're-programmed':
      return `${are} served by the source until somebody has re-programmed ${plural(number, 'it', 'them')}`
    case 'multicast':
      return `${plural(number, 'is a multicast group', 'are multicast groups')}: deleted on the source, then served by the target`
  }
}

/** Crossing devices by way, in the order of `WAYS`, without ways that nobody takes. */
export const waysOf = (
  devices: readonly DeviceChange[],
): readonly { readonly way: Way; readonly devices: number }[] => {
  const crossing = devices.filter(isCrossing)
  return WAYS.map((way) => ({
    way,
    devices: crossing.filter((device) => wayOf(device) === way).length,
  })).filter((each) => each.devices > 0)
}
