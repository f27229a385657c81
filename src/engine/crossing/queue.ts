import type { DeviceRecord } from '../../domain/device.ts'
import type { StepName } from '../../domain/journal.ts'
import type { NetworkPort, QueuedDownlink } from '../../domain/ports.ts'
import { isObject } from '../device/records.ts'
import { isTrigger, triggerDownlink, wasTriggerSent } from '../device/trigger.ts'
import { type CrossingContext, markAlready, markDone, onSource, onTarget } from './context.ts'
import { ensure, StepFailure } from './ensure.ts'

/** What waits on a network to be sent to the device. @throws StepFailure `QueueUnknown` where the key may not see it. */
const queueOf = async (
  network: NetworkPort,
  deviceId: string,
  step: StepName,
): Promise<readonly QueuedDownlink[]> => {
  const queue = await network.downlinkQueue(deviceId)
  if (queue !== undefined) return queue
  throw new StepFailure(step, {
    code: 'QueueUnknown',
    message: 'its queue of downlinks can not be seen with this API key',
    hint: 'add RIGHT_APPLICATION_TRAFFIC_READ to the API key of the source',
  })
}

/** Whether nothing waits on the source to be sent; that is on the disk then. */
export const isQueueEmpty = async (context: CrossingContext): Promise<boolean> => {
  const { source, change } = context
  const queue = await queueOf(source, change.device, 'queue-empty')
  if (queue.length > 0) return false
  await markDone(context, 'queue-empty')
  return true
}

const isSame = (a: QueuedDownlink, b: QueuedDownlink): boolean =>
  a.fPort === b.fPort && a.payload === b.payload && a.confirmed === b.confirmed

/** Items of `wanted` that are not in `held`, each counted once. */
const missingFrom = (
  held: readonly QueuedDownlink[],
  wanted: readonly QueuedDownlink[],
): readonly QueuedDownlink[] => {
  const left = [...held]
  return wanted.filter((item) => {
    const index = left.findIndex((other) => isSame(item, other))
    if (index >= 0) left.splice(index, 1)
    return index < 0
  })
}

/**
 * A class B or C downlink may name gateways to go through: those of the source, which the target does not have, so that
 * it would drop the downlink. Without them it takes those that heard the device last.
 */
const withoutGateways = (item: QueuedDownlink): QueuedDownlink =>
  isObject(item.classBC)
    ? {
        ...item,
        classBC: Object.fromEntries(Object.entries(item.classBC).filter(([name]) => name !== 'gateways')),
      }
    : item

/** A correlation id, which networks keep: tells what we queued on the target from what its applications did. */
const COPIED = 'ferry:copied-from-source'

const copyOf = (item: QueuedDownlink): QueuedDownlink => ({
  ...withoutGateways(item),
  correlationIds: [...new Set([...item.correlationIds, COPIED])],
})

/**
 * What waits in the silent source's queue is queued on the muted target, which gives it counters of its own. What is
 * there already, from an earlier attempt, is not queued twice, and what the source has sent since is taken away again;
 * what applications queue on the target stays.
 */
export const copyDownlinks = async (context: CrossingContext): Promise<void> => {
  const { source, target, change, journal } = context
  const waiting = (await queueOf(source, change.device, 'copy-downlinks')).map(copyOf)
  await journal.fact({ name: 'copied-downlinks', count: waiting.length })
  const compared = async () => {
    const held = await queueOf(target, change.target, 'copy-downlinks')
    const copied = held.filter((item) => item.correlationIds.includes(COPIED))
    return { held, missing: missingFrom(copied, waiting), sent: missingFrom(waiting, copied) }
  }
  const isCopied = async (): Promise<boolean> => {
    const { missing, sent } = await compared()
    return missing.length === 0 && sent.length === 0
  }
  if (await isCopied()) return markAlready(context, 'copy-downlinks')
  await ensure(onTarget(context), {
    step: 'copy-downlinks',
    registry: 'application-server',
    verb: 'set',
    paths: [],
    look: isCopied,
    send: async () => {
      const { held, missing, sent } = await compared()
      // A replaced queue loses what is queued in the same moment: only where something has to be taken away.
      if (sent.length === 0) return target.pushDownlinks(change.target, missing)
      const kept = held.filter((item) => !sent.includes(item))
      return target.replaceDownlinks(change.target, [...kept, ...missing])
    },
  })
}

/**
 * Queues on the source the downlink that makes the device join. A push that was sent again would send it twice: the
 * queue, what was sent last, and the counter that the source gives to what is queued tell whether it worked.
 */
export const queueTrigger = async (context: CrossingContext): Promise<void> => {
  const { source, change, intent, journal } = context
  const { rejoin } = intent.policy
  if (rejoin.trigger !== 'source-downlink') return markAlready(context, 'queue-trigger')
  if (journal.progress()?.steps['queue-trigger'] !== 'unknown')
    await journal.fact({ name: 'source-counters', ...countersOf(await source.read(change.device)) })
  const before = journal.progress()?.sourceCounters?.lastAFCntDown ?? 0
  const isQueued = async (): Promise<boolean> => {
    const queue = await queueOf(source, change.device, 'queue-trigger')
    if (queue.some((item) => isTrigger(item, rejoin))) return true
    const seen = await source.read(change.device)
    return wasTriggerSent(seen, rejoin, before)
  }
  await ensure(onSource(context), {
    step: 'queue-trigger',
    registry: 'application-server',
    verb: 'set',
    paths: [],
    look: isQueued,
    send: () => source.pushDownlinks(change.device, [triggerDownlink(rejoin)]),
  })
}

const countersOf = ({
  registries,
}: DeviceRecord): { readonly lastAFCntDown: number; readonly lastNFCntDown: number } => {
  const a = registries['application-server']?.['session.last_a_f_cnt_down']
  const n = registries['network-server']?.['session.last_n_f_cnt_down']
  return { lastAFCntDown: typeof a === 'number' ? a : 0, lastNFCntDown: typeof n === 'number' ? n : 0 }
}

/**
 * Looks whether the downlink was sent: a class A device gets it after its next uplink. One that left the queue unsent
 * (somebody replaced the queue) is queued again by the next run.
 */
export const lookForTrigger = async (context: CrossingContext): Promise<void> => {
  const { source, change, intent, journal } = context
  const { rejoin } = intent.policy
  if (rejoin.trigger !== 'source-downlink') return markAlready(context, 'trigger-sent')
  const queue = await queueOf(source, change.device, 'trigger-sent')
  if (queue.some((item) => isTrigger(item, rejoin))) return
  const before = journal.progress()?.sourceCounters?.lastAFCntDown ?? 0
  if (wasTriggerSent(await source.read(change.device), rejoin, before))
    return markDone(context, 'trigger-sent')
  await journal.append({
    t: 'outcome',
    device: change.device,
    step: 'queue-trigger',
    at: journal.now(),
    status: 'failed',
    error: {
      code: 'TriggerDropped',
      message: 'the downlink that makes it join left the queue of the source and was not sent',
      hint: 'run again to have it queued once more; look for an application that replaces the queue',
    },
  })
}
