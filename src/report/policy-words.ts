import type { ChangeSet } from '../domain/change-set.ts'
import type { Policy, Rejoin } from '../domain/migration-plan.ts'
import { count, devices, percent } from './words.ts'

const RX1_DELAY = { keep: 'RX1 delay is kept', target: "RX1 delay becomes the target's" } as const

const DELETE_SOURCE: Readonly<Record<Policy['deleteSource'], string>> = {
  never: 'the source is stopped, not deleted',
  'after-import': 'the source is deleted right after the import',
  'after-heard': 'the source is deleted some time after the device was heard',
}

/** What becomes of the source. Where it is deleted first, neither `deleteSource` nor `preventRejoin` has a say. */
const sourceWords = (policy: Policy, { network }: ChangeSet['source']): readonly string[] =>
  network === 'file'
    ? ['whoever serves the devices is stopped by hand, and you confirm it']
    : network === 'ttn-v2'
      ? [
          policy.persistSession ? 'the source loses the keys' : 'the source gets another AppKey',
          ...(policy.deleteSource === 'never' ? [] : [DELETE_SOURCE[policy.deleteSource]]),
        ]
      : policy.handover === 'delete-first'
        ? ['the source is deleted before the target is created']
        : [
            DELETE_SOURCE[policy.deleteSource],
            policy.preventRejoin === 'none'
              ? 'root keys stay on the source'
              : 'root keys on the source are replaced',
          ]

/** Port and size of a trigger; its bytes may mean something to others, and nothing to a reviewer. */
const rejoinWords = (rejoin: Rejoin): readonly string[] => {
  switch (rejoin.trigger) {
    case 'none':
      return []
    case 'manual':
      return ['people make devices join']
    case 'source-downlink': {
      const bytes = rejoin.payload.length / 2
      const size = bytes === 0 ? 'empty' : `${count(bytes)} ${bytes === 1 ? 'byte' : 'bytes'}`
      const confirmed = rejoin.confirmed ? ', confirmed' : ''
      return [`a downlink of the source makes devices join (port ${rejoin.fPort}, ${size}${confirmed})`]
    }
  }
}

/** Only what is not the default: most plans have none of it. */
const specialWords = (policy: Policy): readonly string[] => [
  ...rejoinWords(policy.rejoin),
  ...(policy.rootKeys === 'generate' ? ['OTAA devices get new root keys'] : []),
  ...{
    keep: [],
    reprogram: ['ABP devices get a new DevAddr and new keys'],
    'to-otaa': ['ABP devices become OTAA'],
  }[policy.abp],
  ...{
    report: [],
    copy: ['queued downlinks are copied'],
    'wait-empty': ['a device crosses when its downlink queue is empty'],
  }[policy.queuedDownlinks],
  ...{
    blocked: [],
    carry: ['devices that were muted before stay muted'],
    unmute: ['devices that were muted before are unmuted'],
  }[policy.mutedSource],
  ...(policy.downlinkCounterMargin === 'auto'
    ? []
    : [`${count(policy.downlinkCounterMargin)} is added to downlink counters`]),
  ...(policy.adopt === 'partial' ? ['what others registered in part is completed'] : []),
]

const waveText = (wave: NonNullable<ChangeSet['rollout']['waves']>[number]): string => {
  if ('count' in wave) return count(wave.count)
  if ('share' in wave) return percent(wave.share)
  if ('match' in wave) return `those like ${wave.match}`
  return `those with ${Object.entries(wave.attributes)
    .map(([name, value]) => `${name} ${value}`)
    .join(' and ')}`
}

/** In which parts devices cross, and when. */
const waveWords = ({ canary, waves = [], minHeard = 1, window }: ChangeSet['rollout']): readonly string[] => {
  const when = window === undefined ? [] : [`something new begins ${window.text} alone`]
  const heard = minHeard === 1 ? 'must be heard' : `must be heard by ${percent(minHeard)}`
  if (waves.length === 0)
    return [canary > 0 ? `the first ${count(canary)} ${heard} before the rest` : 'no canary', ...when]
  const parts = [...(canary > 0 ? [`the first ${count(canary)}`] : []), ...waves.map(waveText), 'the rest']
  return [`waves: ${parts.join(', then ')}; each ${heard} before the next`, ...when]
}

/** What the plan's policy means, for those whom no override says otherwise. */
export const policyWords = (
  changeSet: Pick<ChangeSet, 'policy' | 'rollout' | 'source'>,
): readonly string[] => {
  const { policy, rollout } = changeSet
  const failures = rollout.maxFailures
  return [
    policy.persistSession ? 'sessions are kept' : 'devices join anew',
    policy.resetFrameCounters ? 'ABP counters are reset' : 'counters are kept',
    typeof policy.rx1Delay === 'number'
      ? `RX1 delay becomes ${policy.rx1Delay} s`
      : RX1_DELAY[policy.rx1Delay],
    ...sourceWords(policy, changeSet.source),
    ...specialWords(policy),
    ...waveWords(rollout),
    `stops when more than ${'count' in failures ? devices(failures.count) : percent(failures.share)} ${
      'count' in failures && failures.count === 1 ? 'fails' : 'fail'
    }`,
  ]
}
