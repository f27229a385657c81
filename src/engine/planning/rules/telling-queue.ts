import { isStoppedRoute, keepsKeys } from '../../device/route.ts'
import { type DeviceRule, note, type RuleInput, warning } from './rule.ts'

const items = (count: number): string => `${count} queued downlink${count === 1 ? '' : 's'}`

/** What waits and nobody has seen to yet. */
const waiting = ({ queue, copiedDownlinks }: RuleInput): number =>
  Math.max(0, (queue?.length ?? 0) - (copiedDownlinks ?? 0))

/** What becomes of downlinks that wait on the source, by `policy.queuedDownlinks` and by what the target can take. */
export const TELLING_QUEUE: readonly DeviceRule[] = [
  {
    from: 'downlinks that wait',
    check: (input) => {
      const { route, intent, isUnderWay } = input
      const count = waiting(input)
      // The source goes on sending to a device that it serves until it was heard on the target.
      if (count === 0 || route === undefined) return undefined
      if (route === 'multicast' || (isStoppedRoute(route) && intent.policy.queuedDownlinks === 'wait-empty'))
        return isUnderWay
          ? undefined
          : warning(
              'QueueNotEmpty',
              `${items(count)} wait${count === 1 ? 's' : ''} on the source: it crosses in a run that finds the queue empty`,
              'wait until they are sent, or clear the queue on the source',
            )
      if (!isStoppedRoute(route)) return undefined
      if (intent.policy.queuedDownlinks === 'copy' && keepsKeys(route) && !isUnderWay)
        return note('DownlinksCopied', `${items(count)} will be queued on the target, with new counters`)
      return warning(
        'QueuedDownlinksLost',
        `${items(count)} stay${count === 1 ? 's' : ''} on the source`,
        'send them again on the target, or wait until the queue is empty',
      )
    },
  },
]
