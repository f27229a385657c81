import { acceptedDeviceId } from '../domain/accepted-id.ts'
import type { Diagnostic } from '../domain/diagnostic.ts'
import type {
  DeviceIntent,
  DeviceSettings,
  LoadedPlan,
  MigrationPlan,
  Policy,
  SelectableDevice,
  Selection,
  Selector,
} from '../domain/migration-plan.ts'
import { attributesOf } from './attributes.ts'
import { isTemplate, templatedId } from './device-id-template.ts'
import { shown } from './shown.ts'

/**
 * Whether a text matches a pattern in which `*` stands for any characters and `?` for one. Takes time in
 * proportion to both lengths at worst, whatever the pattern.
 */
export const matchesPattern = (text: string, pattern: string): boolean => {
  let at = 0
  let next = 0
  let star = -1
  let resume = 0
  while (at < text.length) {
    const wanted = pattern[next]
    if (wanted === '*') {
      star = next++
      resume = at
    } else if (wanted === '?' || wanted === text[at]) {
      at++
      next++
    } else if (star >= 0) {
      next = star + 1
      at = ++resume
    } else {
      return false
    }
  }
  while (pattern[next] === '*') next++
  return next === pattern.length
}

/** Which gateways of the source the plan moves, by their ids. */
export const selectGateways =
  ({ gateways }: Pick<MigrationPlan, 'gateways'>) =>
  (gatewayId: string): boolean =>
    (gateways?.include ?? []).some(
      ({ all, ids = [], match }) =>
        all === true || ids.includes(gatewayId) || (match !== undefined && matchesPattern(gatewayId, match)),
    )

const hasAttributes = (device: SelectableDevice, wanted: Readonly<Record<string, string>>): boolean => {
  const held = attributesOf(device)
  if (held === undefined) return false
  return Object.entries(wanted).every(([name, value]) => Object.hasOwn(held, name) && held[name] === value)
}

/** Sets of the ids that a selector names, built once for a plan: id files are long. */
const idSets = new WeakMap<Selector, ReadonlySet<string>>()

const idsOf = (selector: Selector): ReadonlySet<string> => {
  const known = idSets.get(selector)
  if (known !== undefined) return known
  const ids = new Set([...(selector.ids ?? []), ...(selector.idsFile?.ids ?? [])])
  idSets.set(selector, ids)
  return ids
}

/** The field of a selector that chooses a device, as a person would name it; undefined where none does. */
const chosenBy = (selector: Selector, device: SelectableDevice): string | undefined => {
  if (selector.all === true) return 'all'
  if (idsOf(selector).has(device.deviceId)) {
    return selector.ids?.includes(device.deviceId) === true
      ? `ids ${JSON.stringify(device.deviceId)}`
      : 'idsFile'
  }
  if (selector.match !== undefined && matchesPattern(device.deviceId, selector.match)) {
    return `match ${JSON.stringify(selector.match)}`
  }
  if (selector.attributes === undefined || !hasAttributes(device, selector.attributes)) return undefined
  return `attributes ${JSON.stringify(selector.attributes)}`
}

const NOTHING_SET: DeviceSettings = {}

/** What a plan wants of most devices, once for all of them. */
const usual = new WeakMap<MigrationPlan, DeviceIntent>()

const intentOf = (plan: MigrationPlan, policy: Policy, { set, renamedByRule }: Named): DeviceIntent => {
  if (policy !== plan.policy || set !== NOTHING_SET)
    return { policy, set, ...(renamedByRule === true ? { renamedByRule } : {}) }
  const intent = usual.get(plan) ?? { policy, set }
  usual.set(plan, intent)
  return intent
}

const waveOf = (
  { rollout: { waves = [] } }: MigrationPlan,
  device: SelectableDevice,
): Pick<Selection, 'wave'> => {
  const wave = waves.findIndex(
    (each) =>
      ('match' in each && matchesPattern(device.deviceId, each.match)) ||
      ('attributes' in each && hasAttributes(device, each.attributes)),
  )
  return wave < 0 ? {} : { wave }
}

/** Whether a plan moves a device, and what it wants of it. Pure. */
export const intentFor = (plan: MigrationPlan, device: SelectableDevice): Selection => {
  const { include, exclude, overrides } = plan.devices
  const included = include.some((selector) => chosenBy(selector, device) !== undefined)
  const excludedBy = exclude.map((selector) => chosenBy(selector, device)).find((by) => by !== undefined)
  let policy: Policy = plan.policy
  let set: DeviceSettings = NOTHING_SET
  for (const override of overrides) {
    if (chosenBy(override.select, device) === undefined) continue
    policy = { ...policy, ...override.policy }
    set = { ...set, ...override.set }
  }
  const named = withId(set, device)
  return {
    selected: included && excludedBy === undefined,
    ...waveOf(plan, device),
    ...(excludedBy === undefined ? {} : { excludedBy }),
    ...(named.lacks === undefined ? {} : { lacks: named.lacks }),
    intent: intentOf(plan, policy, named),
  }
}

/** What becomes of a device's id. */
interface Named {
  readonly set: DeviceSettings
  readonly renamedByRule?: true
  /** What the rule for its id asks for, and it has not. */
  readonly lacks?: string
}

/** The target takes fewer ids than some networks: one that it does not take is changed by rule. */
const withId = (set: DeviceSettings, device: SelectableDevice): Named => {
  const { deviceId } = device
  if (set.deviceId === undefined) {
    const accepted = acceptedDeviceId(deviceId)
    return { set: accepted === deviceId ? set : { ...set, deviceId: accepted } }
  }
  if (!isTemplate(set.deviceId)) return { set }
  const { deviceId: _rule, ...others } = set
  const made = templatedId(set.deviceId, device)
  if ('lacks' in made) return { set: others, lacks: made.lacks }
  return made.deviceId === deviceId
    ? { set: others }
    : { set: { ...others, deviceId: made.deviceId }, renamedByRule: true }
}

/** Unknown ids that are told one by one. */
const MOST_UNKNOWN = 20

/**
 * Ids that the plan names and the source does not know, as warnings: they are left, and the others go on.
 * `isKnown`: of a device of the source's application.
 */
export const unknownDevices = (
  { plan, file }: Pick<LoadedPlan, 'plan' | 'file'>,
  isKnown: (deviceId: string) => boolean,
): readonly Diagnostic[] => {
  const { include, exclude, overrides } = plan.devices
  const lists = [
    ['include', include],
    ['exclude', exclude],
    ['overrides', overrides.map(({ select }) => select)],
  ] as const
  const unknown = new Map<string, string>()
  for (const [list, selectors] of lists) {
    for (const selector of selectors) {
      for (const id of idsOf(selector)) {
        if (!unknown.has(id) && !isKnown(id)) unknown.set(id, list)
      }
    }
  }
  const told = [...unknown].slice(0, MOST_UNKNOWN).map(
    ([id, list]): Diagnostic => ({
      code: 'UnknownDevice',
      severity: 'warning',
      message: `${file} names the device ${shown(id)} under ${list}, and the source does not know it`,
      hint: 'correct the id, or remove it',
      subject: { device: id },
    }),
  )
  const left = unknown.size - told.length
  if (left === 0) return told
  const message = `${file} names ${left} more devices that the source does not know`
  return [
    ...told,
    { code: 'UnknownDevice', severity: 'warning', message, hint: 'compare the id files with the source' },
  ]
}
