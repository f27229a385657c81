import type { ChangeSet, DeviceChange } from '../domain/change-set.ts'
import type { StepName } from '../domain/journal.ts'
import { count, plural } from './words.ts'

/** How much of a risk can be taken back: all, some or by other means, none. */
type Undo = 'yes' | 'partly' | 'no'

export interface Risk {
  /** Always the same for the same risk, present or not. */
  readonly id: string
  readonly name: string
  readonly title: string
  readonly devices: number
  /** Whether it asks for a decision; a count of 0 never does. */
  readonly asks: boolean
  readonly why: string
  readonly undo: Undo
  readonly undoBy: string
}

interface RiskRule {
  readonly id: string
  readonly name: string
  readonly title: string
  readonly applies: (device: DeviceChange) => boolean
  /** Defaults to asking wherever a device is concerned. */
  readonly asks?: (changeSet: ChangeSet) => boolean
  readonly why: (concerned: readonly DeviceChange[]) => string
  readonly undo: Undo
  readonly undoBy: string
}

const has = (device: DeviceChange, ...steps: readonly StepName[]): boolean =>
  steps.some((step) => device.steps.includes(step) || device.later.includes(step))

/** The device goes over to the target by this change set, now or when it is resumed. */
export const isCrossing = (device: DeviceChange): boolean => has(device, 'unmute-target')

export const isDeleting = (device: DeviceChange): boolean =>
  has(device, 'delete-application', 'delete-network', 'delete-join', 'delete-identity')

const isKept = (device: DeviceChange): boolean =>
  device.route === 'session-kept' || device.route === 'abp-kept'

/** It has no session that it could leave. */
const neverJoined = (device: DeviceChange): boolean =>
  device.findings.some((finding) => finding.code === 'NeverJoined')

const withClasses = (concerned: readonly DeviceChange[]): string => {
  const listening = (['C', 'B'] as const).flatMap((name) => {
    const number = concerned.filter((device) => device.profile?.class === name).length
    return number === 0 ? [] : [`${count(number)} of class ${name}`]
  })
  return listening.length === 0 ? '' : ` Among them ${listening.join(' and ')}.`
}

const laterCount = (concerned: readonly DeviceChange[]): string => {
  const later = concerned.filter((device) => device.later.includes('delete-identity')).length
  return later === 0
    ? 'All in this apply.'
    : `${count(concerned.length - later)} in this apply, ${count(later)} in a later one, once heard and due.`
}

const RULES: readonly RiskRule[] = [
  {
    id: 'R1',
    name: 'rejoin',
    title: 'join anew',
    applies: (device) => device.route === 'joining-anew' && isCrossing(device),
    why: (concerned) =>
      `Silent on the target until they join; the stopped source sends them no downlinks either.${withClasses(concerned)}`,
    undo: 'partly',
    undoBy: 'once joined on the target, they have to join again on the source',
  },
  {
    id: 'R2',
    name: 'session',
    title: 'sessions handed over',
    applies: (device) => device.route === 'session-kept' && isCrossing(device),
    asks: ({ coverage }) => coverage.gateways !== 'on-target',
    why: (concerned) =>
      `The running session goes on at the target with its counters; between stop and unmute nobody sends downlinks.${withClasses(concerned)}`,
    undo: 'partly',
    undoBy: 'the stopped source keeps the session; it may go on only with counters above those of the target',
  },
  {
    id: 'R3',
    name: 'abp',
    title: 'ABP, fixed keys',
    applies: (device) => device.route === 'abp-kept' && isCrossing(device),
    asks: ({ coverage }) => coverage.gateways !== 'on-target',
    why: (concerned) =>
      `Both networks could serve them, so the source must stay stopped: the order of the steps sees to it.${withClasses(concerned)}`,
    undo: 'partly',
    undoBy: 'the stopped source keeps the session; it may go on only with counters above those of the target',
  },
  {
    id: 'R4',
    name: 'counters-reset',
    title: 'counters reset',
    applies: (device) => device.route === 'abp-reset' && isCrossing(device),
    why: () => 'The target accepts counters from 0 again, so recorded frames can be replayed to it.',
    undo: 'no',
    undoBy: 'a replayed frame that was accepted stays so; set resets_f_cnt to false once the reset was heard',
  },
  {
    id: 'R5',
    name: 'rx1-delay',
    title: 'RX1 delay asked to change',
    applies: (device) =>
      !(device.route === 'joining-anew' && isCrossing(device)) &&
      device.fields.some(
        (change) =>
          change.verdict === 'write' &&
          (change.because === 'policy.rx1Delay' ||
            (change.path === 'mac_settings.desired_rx1_delay' && !('absent' in change.before))),
      ),
    why: () => 'Until a device has answered the request, its old delay stays in use on both sides.',
    undo: 'yes',
    undoBy: 'the old delay can be asked for again',
  },
  {
    id: 'R6',
    name: 'root-keys',
    title: 'root keys replaced on the source',
    applies: (device) => has(device, 'prevent-rejoin'),
    why: () =>
      'So that no device can join on the source again. The old keys are then on the target and in the escrow.',
    undo: 'partly',
    undoBy: 'from the escrow, with its age identity; without it, not at all',
  },
  {
    id: 'R7',
    name: 'source-deletes',
    title: 'deletes on the source',
    applies: isDeleting,
    why: (concerned) => (concerned.length === 0 ? 'Nothing is deleted there.' : laterCount(concerned)),
    undo: 'partly',
    undoBy: 'registered anew from the escrow, with its age identity; what else the source kept is gone',
  },
  {
    id: 'R8',
    name: 'duplicates',
    title: 'uplinks on both networks',
    applies: (device) => isKept(device) && isCrossing(device) && !isDeleting(device),
    why: () =>
      'The stopped source goes on decoding the same uplinks: switch its integrations off, or count twice.',
    undo: 'yes',
    undoBy: 'ends when the source is deleted',
  },
  {
    id: 'R9',
    name: 'target-deletes',
    title: 'deletes on the target',
    applies: () => false,
    why: () => 'Nothing is deleted there.',
    undo: 'no',
    undoBy: '',
  },
]

/** All risks in fixed order, those that concern nobody with a count of 0. */
export const risksOf = (changeSet: ChangeSet): readonly Risk[] =>
  RULES.map((rule) => {
    const concerned = changeSet.devices.filter(rule.applies)
    return {
      id: rule.id,
      name: rule.name,
      title: rule.title,
      devices: concerned.length,
      asks: concerned.length > 0 && (rule.asks?.(changeSet) ?? true),
      why: rule.why(concerned),
      undo: rule.undo,
      undoBy: rule.undoBy,
    }
  })

/** Ids of the risks that one device carries. */
export const riskIdsOf = (device: DeviceChange): readonly string[] =>
  RULES.filter((rule) => rule.applies(device)).map((rule) => rule.id)

/** What can't be undone, by count and sentence; empty where everything can. */
export interface Irreversible {
  readonly name: string
  readonly devices: number
  readonly text: string
}

const IRREVERSIBLE: readonly {
  readonly name: string
  readonly applies: (device: DeviceChange) => boolean
  readonly text: (number: number) => string
}[] = [
  {
    name: 'source-deletes',
    applies: isDeleting,
    text: (number) =>
      `${plural(number, 'is', 'are')} deleted on the source: only the escrow brings the keys back, and nothing brings back what the source stored besides`,
  },
  {
    name: 'root-keys',
    applies: (device) => has(device, 'prevent-rejoin'),
    text: (number) =>
      `${plural(number, 'loses its', 'lose their')} root keys on the source: without the escrow's age identity they are not restored there`,
  },
  {
    name: 'rejoin',
    applies: (device) => device.route === 'joining-anew' && isCrossing(device) && !neverJoined(device),
    text: (number) =>
      `${plural(number, 'leaves its', 'leave their')} session for ever by joining on the target: the way back is another join`,
  },
  {
    name: 'counters-reset',
    applies: (device) => device.route === 'abp-reset' && isCrossing(device),
    text: (number) =>
      `${plural(number, 'accepts', 'accept')} old frames until reset: a replay that was accepted stays`,
  },
]

export const irreversibleOf = (changeSet: ChangeSet): readonly Irreversible[] =>
  IRREVERSIBLE.map((rule) => {
    const number = changeSet.devices.filter(rule.applies).length
    return { name: rule.name, devices: number, text: rule.text(number) }
  }).filter((item) => item.devices > 0)
