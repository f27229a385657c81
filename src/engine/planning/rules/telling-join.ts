import { joinsAnew, profileOf } from '../../device/route.ts'
import { usualInterval } from '../../device/send-interval.ts'
import { type DeviceRule, note, type RuleInput } from './rule.ts'

/**
 * A device that hears nothing asks for an answer after ADR_ACK_LIMIT uplinks and waits for ADR_ACK_DELAY more before it
 * does anything (64 and 32 by default, LoRaWAN 1.0.x section 4.3.1.1); those that join again by themselves do so then
 * at the earliest.
 */
const UPLINKS_UNTIL_NOTICED = 64 + 32

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Few steps, so that devices of one kind are told together. */
const STEPS: readonly (readonly [milliseconds: number, words: string])[] = [
  [HOUR, 'an hour'],
  [4 * HOUR, '4 hours'],
  [12 * HOUR, '12 hours'],
  [DAY, 'a day'],
  [2 * DAY, '2 days'],
  [4 * DAY, '4 days'],
  [7 * DAY, 'a week'],
  [14 * DAY, '2 weeks'],
  [30 * DAY, 'a month'],
]

const atMost = (milliseconds: number): string =>
  STEPS.find(([limit]) => milliseconds <= limit)?.[1] ?? 'more than a month'

const silence = ({ source }: RuleInput): string => {
  const listens = profileOf(source).class === 'A' ? '' : '; of class B or C, it gets no downlinks until then'
  const interval = usualInterval(source)
  if (interval === undefined || interval <= 0)
    return `its interval is not known: one that notices joins after about ${UPLINKS_UNTIL_NOTICED} unanswered uplinks, others never${listens}`
  return `one that notices joins after about ${UPLINKS_UNTIL_NOTICED} unanswered uplinks, which take up to ${atMost(interval * UPLINKS_UNTIL_NOTICED)}; others never${listens}`
}

/** What makes a device join anew, and what to expect of one that nothing makes. */
export const TELLING_JOIN: readonly DeviceRule[] = [
  {
    from: 'rejoin.trigger: none, and how long a device may stay silent',
    check: (input) => {
      const { route, intent, source } = input
      if (route === undefined || !joinsAnew(route) || route === 'joining-triggered') return undefined
      if (source.registries['network-server']?.['session.dev_addr'] === undefined) return undefined
      return intent.policy.rejoin.trigger === 'manual'
        ? note('JoinByHand', 'somebody makes it join: power-cycle it, or press its join button')
        : source.original === undefined
          ? note('SilentUntilJoin', silence(input))
          : note(
              'ServedUntilJoin',
              'the source serves its session until it joins on the target, by itself or because somebody makes it',
            )
    },
  },
]
