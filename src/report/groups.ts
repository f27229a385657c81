import {
  ACTIONS,
  type Action,
  byDevEui,
  type ChangeSet,
  type DeviceChange,
  type DeviceProfile,
  type FieldChange,
  type ShownValue,
} from '../domain/change-set.ts'
import type { Diagnostic } from '../domain/diagnostic.ts'
import type { Route, StepName } from '../domain/journal.ts'
import { canonicalJson, digestOfText } from '../domain/json.ts'
import { remembered } from '../domain/remembered.ts'
import { changesOf } from './becomes.ts'
import { isHeldByEscrow } from './crossing.ts'
import { safeChange } from './shown.ts'

/** A field that is not the same in all devices of a group. */
export interface VaryingField {
  /** How many of the group's devices have it. */
  readonly devices: number
  /** How many different changes of it there are. */
  readonly distinct: number
  /** The change of the first device that has it. */
  readonly example: FieldChange
}

export type Range = readonly [least: number, most: number]

/** Devices that a reviewer would give the same verdict. Changes hold no secrets. */
export interface ChangeGroup {
  /** `G1`, `G2`, ... in an order that depends on the change set alone. */
  readonly id: string
  readonly action: Action
  readonly route?: Route
  readonly handover?: DeviceChange['handover'] & string
  readonly status?: string
  readonly profile?: DeviceProfile
  /** Sorted by DevEUI, then device id. */
  readonly devices: readonly DeviceChange[]
  /** Fields that change the same way in all devices. */
  readonly common: readonly FieldChange[]
  readonly varying: readonly VaryingField[]
  /** Fewest and most fields of a device that stay as they are. */
  readonly unchanged: Range
  /** Fewest and most fields of a device that the target does not get. */
  readonly leftBehind: Range
  /** One for each code, from the first device that has it. */
  readonly findings: readonly Diagnostic[]
  /** Undefined where the devices stand at different steps. */
  readonly steps: readonly StepName[] | undefined
  readonly later: readonly StepName[] | undefined
}

/** Fields that describe or count a device: on a new registration they don't decide what a reviewer thinks of it. */
const DESCRIPTIVE =
  /^(name|description|attributes|locations|picture|serial_number|version_ids|service_profile_id|lora_alliance_profile_ids|battery_percentage|downlink_margin|last_dev_status_received_at|used_dev_nonces|last_dev_nonce|last_join_nonce|last_rj_count_[01]|session\.last_\w+|session\.started_at)\b/

/** Fields whose value, and not only the fact that they change, decides. */
const DECISIVE =
  /^(mac_settings\.|lorawan_|frequency_plan_id$|supports_|multicast$|resets_|skip_payload_crypto|min_frequency$|max_frequency$)/

/** Steps that a reviewer weighs; the others follow from the action. */
const WEIGHED: readonly StepName[] = [
  'credentials',
  'stop-source',
  'clear-source',
  'confirm-handover',
  'queue-empty',
  'copy-downlinks',
  'unmute-target',
  'queue-trigger',
  'prevent-rejoin',
  'delete-identity',
]

/** Whether a field is listed: it is written. What stays behind or is unchanged is counted. */
const isListed = (change: FieldChange): boolean => change.verdict === 'write'

const fieldKey = (change: FieldChange): string => `${change.registry} ${change.path}`

/** Canonical JSON of one side; scalars, which are most, without sorting keys. */
const sideText = (side: ShownValue): string => {
  if (!('value' in side)) return canonicalJson(side)
  const { value } = side
  return `=${value !== null && typeof value === 'object' ? canonicalJson(value) : JSON.stringify(value)}`
}

const contentOf = (change: FieldChange): string => `${sideText(change.before)} ${sideText(change.after)}`

const bySort = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** What of a field's values decides: all of it, for a secret whether it changes, or only that it is written. */
const weightOf = (change: FieldChange): string =>
  DECISIVE.test(change.path)
    ? contentOf(safeChange(change))
    : 'sensitive' in change.after
      ? change.after.sensitive
      : 'generated' in change.after
        ? 'generated'
        : ''

const weighedText = (change: FieldChange): string =>
  [fieldKey(change), change.reason, change.because ?? '', weightOf(change)].join('\u0000')

const groupKey = (device: DeviceChange, textOf: (change: FieldChange) => string): string => {
  const isNew = device.action === 'create' || device.action === 'resume'
  const fields = changesOf(device)
    .filter((change) => isListed(change) && !(isNew && DESCRIPTIVE.test(change.path)))
    .map(textOf)
    .sort(bySort)
  const weighed = (steps: readonly StepName[]): readonly StepName[] =>
    steps.filter((step) => WEIGHED.includes(step))
  return canonicalJson({
    route: device.route ?? '',
    ...(isHeldByEscrow(device) ? { held: true } : {}),
    ...(device.handover === undefined ? {} : { handover: device.handover }),
    profile: device.profile ?? null,
    status: device.action === 'resume' || device.action === 'wait' ? (device.status ?? '') : '',
    findings: [...new Set(device.findings.map((finding) => finding.code))].sort(bySort),
    now: weighed(device.steps),
    later: weighed(device.later),
    fields,
  })
}

const sameSteps = (
  devices: readonly DeviceChange[],
  which: 'steps' | 'later',
): readonly StepName[] | undefined => {
  const first = devices[0]?.[which] ?? []
  const text = first.join()
  return devices.every((device) => device[which].join() === text) ? first : undefined
}

interface Tally {
  readonly example: FieldChange
  devices: number
  /** Values that are given where there was none, the most by far; as they are, for copies of them would fill the memory. */
  readonly given: Set<string>
  /** All other changes, as text. */
  readonly contents: Set<string>
}

const distinctIn = ({ given, contents }: Tally): number => given.size + contents.size

const givenText = ({ before, after }: FieldChange): string | undefined =>
  'absent' in before && 'value' in after && typeof after.value === 'string' ? after.value : undefined

const tallyFields = (devices: readonly DeviceChange[]): ReadonlyMap<string, Tally> => {
  const textOf = remembered((change: FieldChange) => {
    const content = contentOf(change)
    return content.length > 100 ? digestOfText(content) : content
  })
  const tallies = new Map<string, Tally>()
  for (const device of devices) {
    for (const change of changesOf(device)) {
      if (!isListed(change)) continue
      const key = fieldKey(change)
      const tally = tallies.get(key) ?? {
        example: change,
        devices: 0,
        given: new Set<string>(),
        contents: new Set<string>(),
      }
      tally.devices += 1
      const given = givenText(change)
      if (given === undefined) tally.contents.add(textOf(change))
      else tally.given.add(given)
      tallies.set(key, tally)
    }
  }
  return tallies
}

const rangeOf = (devices: readonly DeviceChange[], counts: (change: FieldChange) => boolean): Range => {
  let least = Number.POSITIVE_INFINITY
  let most = 0
  for (const device of devices) {
    const number = device.fields.reduce((sum, change) => sum + (counts(change) ? 1 : 0), 0)
    least = Math.min(least, number)
    most = Math.max(most, number)
  }
  return [Math.min(least, most), most]
}

const assemble = (id: string, key: string, unsorted: readonly DeviceChange[]): ChangeGroup => {
  const devices = [...unsorted].sort(byDevEui)
  const first = devices[0]
  const tallies = [...tallyFields(devices).values()]
  const isCommon = (tally: Tally): boolean => tally.devices === devices.length && distinctIn(tally) === 1
  const findings = new Map<string, Diagnostic>()
  for (const finding of devices.flatMap((device) => device.findings)) {
    if (!findings.has(finding.code)) findings.set(finding.code, finding)
  }
  const { status } = JSON.parse(key) as { status: string }
  return {
    id,
    action: first?.action ?? 'done',
    ...(first?.route === undefined ? {} : { route: first.route }),
    ...(first?.handover === undefined ? {} : { handover: first.handover }),
    ...(status === '' ? {} : { status }),
    ...(first?.profile === undefined ? {} : { profile: first.profile }),
    devices,
    common: tallies.filter(isCommon).map((tally) => safeChange(tally.example)),
    varying: tallies
      .filter((tally) => !isCommon(tally))
      .map((tally) => ({
        devices: tally.devices,
        distinct: distinctIn(tally),
        example: safeChange(tally.example),
      })),
    unchanged: rangeOf(devices, (change) => change.verdict === 'leave' && change.reason !== 'not-carried'),
    leftBehind: rangeOf(devices, (change) => change.verdict === 'leave' && change.reason === 'not-carried'),
    findings: [...findings.values()],
    steps: sameSteps(devices, 'steps'),
    later: sameSteps(devices, 'later'),
  }
}

/**
 * Groups the devices of a change set: what no network serves first, then by action in the order of `ACTIONS`, then the
 * largest first. Two devices share
 * a group when action, route, handover, profile, the set of changed fields with their reasons, the values of decisive fields,
 * the codes of findings and the steps that touch the source are the same.
 */
export const groupChanges = (changeSet: Pick<ChangeSet, 'devices'>): readonly ChangeGroup[] => {
  const byAction = new Map<Action, Map<string, DeviceChange[]>>()
  const textOf = remembered(weighedText)
  for (const device of changeSet.devices) {
    const groups = byAction.get(device.action) ?? new Map<string, DeviceChange[]>()
    byAction.set(device.action, groups)
    const key = groupKey(device, textOf)
    const members = groups.get(key)
    if (members === undefined) groups.set(key, [device])
    else members.push(device)
  }
  const ordered = ACTIONS.flatMap((action) =>
    [...(byAction.get(action) ?? [])].sort(
      ([keyA, a], [keyB, b]) => b.length - a.length || bySort(keyA, keyB),
    ),
  )
  const isHeld = ([, [first]]: readonly [string, readonly DeviceChange[]]): boolean =>
    first !== undefined && isHeldByEscrow(first)
  const urgent = [...ordered.filter(isHeld), ...ordered.filter((entry) => !isHeld(entry))]
  return urgent.map(([key, devices], index) => assemble(`G${index + 1}`, key, devices))
}
