import type { ChangeSet, DeviceChange } from '../domain/change-set.ts'
import { count } from './words.ts'

/** Something that the tool can't do and a person has to. */
export interface Hand {
  readonly name: string
  readonly devices: number
  readonly when: 'before' | 'during' | 'after'
  readonly text: string
}

/** Not heard on the target yet, and going there or there already. */
const isAwaited = (device: DeviceChange): boolean =>
  device.steps.includes('hear') || device.later.includes('hear')

const GATEWAYS: Readonly<
  Record<
    ChangeSet['coverage']['gateways'],
    { readonly when: Hand['when']; readonly text: string } | undefined
  >
> = {
  'on-target': undefined,
  'moving-now': {
    when: 'during',
    text: 'keep DevAddr and session: move their gateways to the target now, or they stay silent (coverage.gateways: moving-now)',
  },
  'packet-broker': {
    when: 'before',
    text: 'keep DevAddr and session: Packet Broker must route their DevAddr block to the target, have this confirmed first (coverage.gateways: packet-broker)',
  },
  unknown: {
    when: 'before',
    text: 'keep DevAddr and session: only gateways of the target hear them there. Say where they are in coverage.gateways: on-target, moving-now or packet-broker',
  },
}

/** What needs a hand, by rule: gateways for kept sessions, resets for ABP, joins for the others. */
export const handsOf = (changeSet: ChangeSet): readonly Hand[] => {
  const awaited = changeSet.devices.filter(isAwaited)
  const byRoute = (...routes: readonly string[]): readonly DeviceChange[] =>
    awaited.filter((device) => device.route !== undefined && routes.includes(device.route))
  const hands: Hand[] = []
  const kept = byRoute('session-kept', 'abp-kept', 'abp-reset')
  const gateways = GATEWAYS[changeSet.coverage.gateways]
  if (kept.length > 0 && gateways !== undefined) {
    hands.push({ name: 'gateways', devices: kept.length, ...gateways })
  }
  const reset = byRoute('abp-reset')
  if (reset.length > 0) {
    hands.push({
      name: 'reset',
      devices: reset.length,
      when: 'after',
      text: 'are ABP with counters reset: reset or power-cycle each at the device once the target is unmuted',
    })
  }
  const joining = byRoute('joining-anew')
  if (joining.length > 0) {
    const listening = joining.filter((device) => device.profile?.class !== 'A').length
    const classes =
      listening === 0
        ? ''
        : `. ${count(listening)} of class B or C get no downlinks until then: power-cycle those first`
    hands.push({
      name: 'join',
      devices: joining.length,
      when: 'after',
      text: `must join: wait until they do by themselves (link checks, confirmed uplinks), or power-cycle them${classes}`,
    })
  }
  return hands
}
