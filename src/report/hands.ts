import type { ChangeSet, DeviceChange } from '../domain/change-set.ts'
import {
  hasFinding,
  hasRoute,
  hasStep,
  isAwaited,
  isConfirmedByHand,
  isCrossing,
  isReprogrammed,
} from './crossing.ts'
import { shellWord } from './escape.ts'
import { count } from './words.ts'

/** A line of a check list, or of what to expect. */
interface HandItem {
  readonly text: string
  /** Device ids on the source, all of them. */
  readonly devices: readonly string[]
}

/** Something that the tool can't do and a person has to. */
export interface Hand {
  readonly name: string
  readonly devices: number
  readonly when: 'before' | 'during' | 'after'
  readonly text: string
  /** To be ticked off, or to be read; absent where there is nothing to tell device by device. */
  readonly list?: { readonly kind: 'check' | 'expect'; readonly items: readonly HandItem[] }
}

const JOIN_BY_HAND = 'JoinByHand'
const SILENT_UNTIL_JOIN = 'SilentUntilJoin'

/** Findings that are told as something to do or to expect, and nowhere else. */
export const TOLD_BY_HANDS: readonly string[] = [JOIN_BY_HAND, SILENT_UNTIL_JOIN]

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

const MOVED_ALONG = {
  when: 'during',
  text: 'DevAddr and session kept: point their gateways to the target as they cross, in the order of the check list',
} as const

type Group = readonly DeviceChange[]

const hand = (
  name: string,
  when: Hand['when'],
  group: Group,
  text: string,
  list?: NonNullable<Hand['list']>,
): readonly Hand[] =>
  group.length === 0
    ? []
    : [
        {
          name,
          devices: group.length,
          when,
          text,
          ...(list === undefined || list.items.length === 0 ? {} : { list }),
        },
      ]

const namesOf = (group: Group): readonly string[] => group.map((device) => device.device)

/** Class C and B first: no downlinks reach them until they have joined. */
const byClass = (group: Group): readonly HandItem[] =>
  (['C', 'B', 'A'] as const)
    .map((name) => ({
      text: `class ${name}`,
      devices: namesOf(group.filter((device) => (device.profile?.class ?? 'A') === name)),
    }))
    .filter((item) => item.devices.length > 0)

/** Devices by what the engine says of them, in its words; the largest first. */
const byMessage = (group: Group, code: string): readonly HandItem[] => {
  const items = new Map<string, string[]>()
  for (const device of group) {
    const message = device.findings.find((finding) => finding.code === code)?.message
    if (message === undefined) continue
    const names = items.get(message)
    if (names === undefined) items.set(message, [device.device])
    else names.push(device.device)
  }
  return [...items]
    .map(([text, names]) => ({ text, devices: names }))
    .sort((a, b) => b.devices.length - a.devices.length || (a.text < b.text ? -1 : 1))
}

const listeningFirst = (group: Group): string => {
  const listening = group.filter((device) => device.profile?.class !== 'A').length
  return listening === 0
    ? ''
    : `. First those of class B or C (${count(listening)}): no downlinks reach them until then`
}

const gatewayHands = (changeSet: ChangeSet, awaited: Group): readonly Hand[] => {
  const gateways = changeSet.gateways === undefined ? GATEWAYS[changeSet.coverage.gateways] : MOVED_ALONG
  if (gateways === undefined) return []
  const kept = awaited.filter((device) => hasRoute(device, 'session-kept', 'abp-kept', 'abp-reset'))
  const groups = changeSet.devices.filter((device) => device.route === 'multicast' && isCrossing(device))
  return [
    ...hand('gateways', gateways.when, kept, gateways.text),
    ...hand(
      'group-gateways',
      'before',
      groups,
      'multicast groups: make sure that gateways of the target reach every member; a group sends nothing that would show it',
    ),
  ]
}

const DOWNLINK_TIMES = {
  A: 'get the downlink after their next uplink',
  B: 'at a ping slot',
  C: 'at once',
} as const

const downlinkTimes = (group: Group): string =>
  (['A', 'B', 'C'] as const)
    .filter((name) => group.some((device) => device.profile?.class === name))
    .map(
      (name, index) =>
        `${index === 0 ? 'those of ' : ''}class ${name} ${index === 0 && name !== 'A' ? 'get the downlink ' : ''}${DOWNLINK_TIMES[name]}`,
    )
    .join(', ')

const joinHands = (awaited: Group): readonly Hand[] => {
  const joining = awaited.filter((device) => device.route === 'joining-anew')
  const byHand = joining.filter((device) => hasFinding(device, JOIN_BY_HAND))
  const alone = joining.filter((device) => !byHand.includes(device))
  const told = awaited.filter((device) => device.route === 'joining-triggered')
  return [
    ...hand(
      'join-by-hand',
      'after',
      byHand,
      'joining anew by hand (rejoin.trigger: manual): power-cycle each, or press its join button, once the target is unmuted',
      { kind: 'check', items: byClass(byHand) },
    ),
    ...hand(
      'join',
      'after',
      alone,
      `joining anew: wait until they join by themselves (after failed link checks or confirmed uplinks), or power-cycle them${listeningFirst(alone)}`,
      { kind: 'expect', items: byMessage(alone, SILENT_UNTIL_JOIN) },
    ),
    ...hand(
      'triggered-join',
      'after',
      told,
      `told by the source to join: ${downlinkTimes(told)}. Power-cycle one that does not obey; until it joins, the source serves it`,
    ),
  ]
}

/** EUIs that the plan names, with keys that stay: nothing is made that could be fetched. */
const hasNewKeys = (device: DeviceChange): boolean =>
  hasStep(device, 'credentials') ||
  !hasStep(device, 'create-identity') ||
  device.fields.some((change) => 'generated' in change.after)

const programHands = (changeSet: ChangeSet, awaited: Group): readonly Hand[] => {
  const reprogrammed = awaited.filter(isReprogrammed)
  return [
    ...hand(
      'program',
      'after',
      reprogrammed.filter(hasNewKeys),
      `re-programmed: ferry escrow credentials ${shellWord(changeSet.plan.file)} -o FILE --format csv writes the new credentials; program each device with its own`,
    ),
    ...hand(
      'program-euis',
      'after',
      reprogrammed.filter((device) => !hasNewKeys(device)),
      're-programmed: program each with its new EUIs, as the changes below tell; its keys stay',
    ),
  ]
}

/** What needs a hand, by rule and in the order of time: the identity, gateways, resets, joins, programming. */
export const handsOf = (changeSet: ChangeSet): readonly Hand[] => {
  const awaited = changeSet.devices.filter(isAwaited)
  const first = changeSet.devices.filter((device) => device.handover === 'delete-first' && isCrossing(device))
  const hands = [
    ...hand(
      'identity',
      'before',
      first,
      "deleted before created: have the escrow's age identity at hand (FERRY_AGE_IDENTITY): without it nothing is deleted, and nothing created from the escrow",
    ),
    ...gatewayHands(changeSet, awaited),
    ...hand(
      'confirm-handover',
      'during',
      changeSet.devices.filter(isConfirmedByHand),
      `stop them where they are served, or delete them there; then: ferry apply ${shellWord(changeSet.plan.file)} --confirm-handover (--confirm-device ID for one). Until then the target holds them muted`,
    ),
    ...hand(
      'reset',
      'after',
      awaited.filter((device) => device.route === 'abp-reset'),
      'ABP with counters reset: reset or power-cycle each at the device once the target is unmuted',
    ),
    ...joinHands(awaited),
    ...programHands(changeSet, awaited),
  ]
  return (['before', 'during', 'after'] as const).flatMap((when) =>
    hands.filter((each) => each.when === when),
  )
}
