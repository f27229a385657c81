import type { ChangeSet, DeviceChange } from '../domain/change-set.ts'
import {
  hasFinding,
  hasRoute,
  hasStep,
  isCleared,
  isConfirmedByHand,
  isCrossing,
  isDeleting,
  isReprogrammed,
  staysMuted,
  staysServed,
} from './crossing.ts'
import { count } from './words.ts'

/** Ids are never given anew: people name them in reviews. */
const DELETE_FIRST = 'R10'
const MULTICAST = 'R13'

/** How much of a risk can be taken back: all, some or by other means, none. */
export type Undo = 'yes' | 'partly' | 'no'

export interface RiskRule {
  readonly id: string
  readonly name: string
  readonly title: string
  readonly applies: (device: DeviceChange) => boolean
  /** Defaults to asking wherever a device is concerned. */
  readonly asks?: (changeSet: ChangeSet) => boolean
  readonly why: (concerned: readonly DeviceChange[]) => string
  readonly undo: Undo
  /** Of a way that a plan or a kind of device asks for by name: not told where nobody takes it. */
  readonly isSpecial?: true
  readonly undoBy: string | ((concerned: readonly DeviceChange[]) => string)
}

const isKept = (device: DeviceChange): boolean => hasRoute(device, 'session-kept', 'abp-kept')

/** It joins on the target, with what the join accept says. */
const isJoining = (device: DeviceChange): boolean =>
  hasRoute(device, 'joining-anew', 'joining-triggered', 'otaa-reprogrammed') && isCrossing(device)

const withClasses = (concerned: readonly DeviceChange[]): string => {
  const listening = (['C', 'B'] as const).flatMap((name) => {
    const number = concerned.filter((device) => device.profile?.class === name).length
    return number === 0 ? [] : [`${count(number)} of class ${name}`]
  })
  return listening.length === 0 ? '' : ` Among them ${listening.join(' and ')}.`
}

/** For these the delete on the source is what lets the target serve them; for all others it comes after. */
const deletesToCross = (device: DeviceChange): boolean =>
  device.handover === 'delete-first' || device.route === 'multicast'

const whenDeleted = (concerned: readonly DeviceChange[]): string => {
  const later = concerned.filter((device) => device.later.includes('delete-identity')).length
  const crossing = concerned.filter(deletesToCross).length
  const when =
    later === 0
      ? 'All in this apply.'
      : `${count(concerned.length - later)} in this apply, ${count(later)} in a later one, once heard and due.`
  return crossing === 0
    ? when
    : `${when} For ${count(crossing)} the delete is a part of the crossing (${DELETE_FIRST}, ${MULTICAST}).`
}

const sessionGoesBack = (concerned: readonly DeviceChange[]): string => {
  if (concerned.some(isCleared))
    return 'a rollback puts them back on the source from the escrow, with the counters of the target'
  if (concerned.some(isConfirmedByHand))
    return 'a rollback takes them off the target; where they were served before they are started by hand'
  const first = concerned.filter((device) => device.handover === 'delete-first').length
  const keeps =
    first === 0
      ? 'the stopped source keeps the session'
      : first === concerned.length
        ? 'the escrow keeps the session'
        : `the stopped source keeps the session, for ${count(first)} the escrow does`
  return `${keeps}; it may go on only with counters above those of the target`
}

export const RISK_RULES: readonly RiskRule[] = [
  {
    id: 'R1',
    name: 'rejoin',
    title: 'join anew',
    applies: (device) => device.route === 'joining-anew' && isCrossing(device),
    why: (concerned) =>
      concerned.length > 0 && concerned.every(staysServed)
        ? 'The source serves their session until they join, and only the target answers the join; one that never joins stays there.'
        : concerned.length > 0 && concerned.every(isConfirmedByHand)
          ? `Silent on the target until they join, which only the target may answer then.${withClasses(concerned)}`
          : `Silent on the target until they join; the stopped source sends them no downlinks either.${withClasses(concerned)}`,
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
      concerned.some(isCleared)
        ? 'The running session goes on at the target with its counters; the source loses the keys right before, and what it may send meanwhile is skipped.'
        : concerned.some(isConfirmedByHand)
          ? 'The running session goes on at the target with the counters of the file; write the file anew when you have stopped them, then confirm.'
          : `The running session goes on at the target with its counters; between stop and unmute nobody sends downlinks.${withClasses(concerned)}`,
    undo: 'partly',
    undoBy: sessionGoesBack,
  },
  {
    id: 'R3',
    name: 'abp',
    title: 'ABP, fixed keys',
    applies: (device) => device.route === 'abp-kept' && isCrossing(device),
    asks: ({ coverage }) => coverage.gateways !== 'on-target',
    why: (concerned) =>
      concerned.some(isCleared)
        ? 'Both networks could serve them, so the source loses their keys before the target speaks.'
        : concerned.some(isConfirmedByHand)
          ? 'Both networks could serve them, so they have to be stopped where they are served before you confirm it.'
          : `Both networks could serve them, so the source must stay stopped: the order of the steps sees to it.${withClasses(concerned)}`,
    undo: 'partly',
    undoBy: sessionGoesBack,
  },
  {
    id: 'R4',
    name: 'counters-reset',
    title: 'counters reset',
    applies: (device) => device.route === 'abp-reset' && isCrossing(device),
    why: () => 'The target accepts counters from 0 again, so recorded frames can be replayed to it.',
    undo: 'no',
    undoBy: (concerned) =>
      concerned.every((device) => hasStep(device, 'end-reset'))
        ? 'a replayed frame that was accepted stays so; resets_f_cnt is taken back once the reset was heard'
        : 'a replayed frame that was accepted stays so; set resets_f_cnt to false once the reset was heard',
  },
  {
    id: 'R5',
    name: 'rx1-delay',
    title: 'RX1 delay asked to change',
    applies: (device) =>
      !isJoining(device) &&
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
    applies: (device) => hasStep(device, 'prevent-rejoin'),
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
    why: (concerned) => (concerned.length === 0 ? 'Nothing is deleted there.' : whenDeleted(concerned)),
    undo: 'partly',
    undoBy: 'registered anew from the escrow, with its age identity; what else the source kept is gone',
  },
  {
    id: 'R8',
    name: 'duplicates',
    title: 'uplinks on both networks',
    applies: (device) =>
      isKept(device) &&
      isCrossing(device) &&
      !isDeleting(device) &&
      !isCleared(device) &&
      !isConfirmedByHand(device) &&
      device.handover === undefined,
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
  {
    id: DELETE_FIRST,
    name: 'delete-first',
    title: 'deleted before created',
    applies: (device) => device.handover === 'delete-first' && isCrossing(device),
    why: (concerned) =>
      `From the delete on the source to the create on the target the escrow alone holds them: no network serves them, and uplinks in between are lost.${withClasses(concerned)}`,
    undo: 'partly',
    undoBy: 'given back to the source from the escrow while the import does not hold; not after that',
  },
  {
    id: 'R11',
    name: 're-programmed',
    isSpecial: true,
    title: 're-programmed',
    applies: (device) => isReprogrammed(device) && isCrossing(device),
    why: (concerned) =>
      `They work on the target only after somebody re-programmed them; the source serves the old credentials until then.${withClasses(concerned)}`,
    undo: 'partly',
    undoBy: 'one that was re-programmed has to be programmed with its old credentials again',
  },
  {
    id: 'R12',
    name: 'triggered-join',
    isSpecial: true,
    title: 'told by the source to join',
    applies: (device) =>
      device.route === 'joining-triggered' && (isCrossing(device) || hasStep(device, 'queue-trigger')),
    why: (concerned) =>
      `The source sends a downlink that makes them join; their root keys on the source are replaced before. One that does not obey stays on the source.${withClasses(concerned)}`,
    undo: 'partly',
    undoBy:
      'once joined on the target, they have to join again on the source, with root keys from the escrow',
  },
  {
    id: MULTICAST,
    name: 'multicast',
    isSpecial: true,
    title: 'multicast groups',
    applies: (device) => device.route === 'multicast' && isCrossing(device),
    why: () =>
      'From the stop of the source to the unmute of the target nobody can send to them, and then the source is deleted; their members must be covered by gateways of the target.',
    undo: 'partly',
    undoBy: 'registered anew on the source from the escrow, with counters above those of the target',
  },
  {
    id: 'R14',
    name: 'stays-muted',
    isSpecial: true,
    title: 'muted on the target too',
    applies: (device) => staysMuted(device) && isCrossing(device),
    why: () =>
      'Somebody muted them on the source before. The target will not answer them either, neither uplinks nor joins (policy.mutedSource: carry).',
    undo: 'yes',
    undoBy: 'unmute them on the target',
  },
  {
    id: 'R15',
    name: 'downlinks-copied',
    isSpecial: true,
    title: 'queued downlinks copied',
    applies: (device) => hasFinding(device, 'DownlinksCopied') && isCrossing(device),
    asks: () => false,
    why: () => 'What waits on the source is queued on the target too, and is sent there.',
    undo: 'partly',
    undoBy: "until it is sent, a downlink can be taken out of the target's queue",
  },
]
