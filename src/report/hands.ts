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
    text: 'DevAddr and session kept: move the gateways to the target now, or nobody hears them (coverage.gateways: moving-now)',
  },
  'packet-broker': {
    when: 'before',
    text: 'DevAddr and session kept: Packet Broker must route the DevAddr block to the target, have this confirmed first (coverage.gateways: packet-broker)',
  },
  unknown: {
    when: 'before',
    text: 'DevAddr and session kept: heard only through gateways that are on the target. Say in coverage.gateways where they are: on-target, moving-now or packet-broker',
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
      text: 'ABP with counters reset: reset or power-cycle each at the device once the target is unmuted',
    })
  }
  const joining = byRoute('joining-anew')
  if (joining.length > 0) {
    const listening = joining.filter((device) => device.profile?.class !== 'A').length
    const classes =
      listening === 0
        ? ''
        : `. First those of class B or C (${count(listening)}): no downlinks reach them until then`
    hands.push({
      name: 'join',
      devices: joining.length,
      when: 'after',
      text: `joining anew: wait until they join by themselves (after failed link checks or confirmed uplinks), or power-cycle them${classes}`,
    })
  }
  return hands
}
