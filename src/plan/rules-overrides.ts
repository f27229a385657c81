import { parseDevEui } from '../domain/identifiers.ts'
import { canonicalJson } from '../domain/json.ts'
import { canonicalMacVersion, canonicalPhyVersion, phyVersionsOf } from '../domain/lorawan-versions.ts'
import { isTemplate, PLACEHOLDERS, unknownPlaceholders } from './device-id-template.ts'
import { error, type Finding, warning } from './finding.ts'
import type { Path } from './located.ts'
import { rejoinOf } from './normalise.ts'
import type { Draft, RejoinDocument } from './plan-document.ts'
import type { Rule, RuleContext } from './rule.ts'
import { excludedIds, idsOf, includedIds, isByIds, SELECTOR_FIELDS } from './rules-selection.ts'
import { shown } from './shown.ts'

type OverrideDraft = NonNullable<NonNullable<NonNullable<Draft['devices']>['overrides']>[number]>

const eachOverride = (
  { draft }: RuleContext,
  check: (override: OverrideDraft, path: Path, index: number) => readonly Finding[],
): readonly Finding[] =>
  (draft.devices?.overrides ?? []).flatMap((override, index) =>
    override === undefined ? [] : check(override, ['devices', 'overrides', index], index),
  )

const selector: Rule = {
  codes: ['EmptySelector'],
  because: 'an override that selects nothing was meant for some devices',
  check: (context) =>
    eachOverride(context, (_, path) => {
      // as written: a selector that is wrong has been reported, and is not also missing
      if (SELECTOR_FIELDS.some((name) => context.written([...path, name]))) return []
      const hint = 'write all: true, ids, idsFile, match or attributes'
      return [error({ code: 'EmptySelector', message: 'the override selects nothing', hint, path })]
    }),
}

const effect: Rule = {
  codes: ['WithoutEffect'],
  because: 'an override that changes nothing was meant to change something',
  check: (context) =>
    eachOverride(context, (override, path) => {
      if (!context.written([...path, 'policy']) && !context.written([...path, 'set'])) {
        const text = {
          code: 'WithoutEffect',
          message: 'the override changes nothing',
          hint: 'write policy or set',
        }
        return [warning({ ...text, path })]
      }
      const ids = isByIds(override) ? idsOf(override, context) : []
      const excluded = excludedIds(context)
      const included = includedIds(context)
      const absent = ids.filter((id) => excluded.has(id) || (included !== undefined && !included.has(id)))
      if (ids.length === 0 || absent.length < ids.length) return []
      const message = `the override is for devices that do not move, such as ${shown(absent[0])}`
      return [warning({ code: 'WithoutEffect', message, hint: 'include them, or remove the override', path })]
    }),
}

const repeatsPlan: Rule = {
  codes: ['WithoutEffect'],
  because: 'a value that holds for the plan already was probably meant to be another',
  check: (context) => {
    const plan: Readonly<Record<string, unknown>> = context.draft.policy ?? {}
    const before = new Set<string>()
    return eachOverride(context, (override, path) => {
      const fields = Object.entries(override.policy ?? {}).filter(([, value]) => value !== undefined)
      const findings = fields.flatMap(([name, value]) => {
        if (before.has(name) || meaningOf(value) !== meaningOf(plan[name])) return []
        const is = typeof value === 'object' ? 'the same' : shown(value)
        const message = `"${name}" is ${is} for the whole plan already`
        const text = { code: 'WithoutEffect', message, hint: 'remove it, or write another value' }
        return [warning({ ...text, path: [...path, 'policy', name] })]
      })
      for (const [name] of fields) before.add(name)
      return findings
    })
  },
}

/** `rejoin` is the one value with fields of its own: what it leaves out has its default. */
const meaningOf = (value: unknown): string =>
  value !== null && typeof value === 'object' && 'trigger' in value
    ? canonicalJson(rejoinOf(value as RejoinDocument))
    : canonicalJson(value ?? null)

const repeatsSelector: Rule = {
  codes: ['DuplicateOverride'],
  because: 'two overrides for the same devices are read as one, and reviewed as two',
  check: (context) => {
    const seen = new Map<string, number>()
    return eachOverride(context, (override, path, index) => {
      const { policy: _policy, set: _set, ...selection } = override
      const key = canonicalJson(selection)
      const first = seen.get(key)
      seen.set(key, first ?? index)
      if (first === undefined || key === '{}') return []
      const message = `override ${index + 1} selects the same devices as override ${first + 1}`
      return [warning({ code: 'DuplicateOverride', message, hint: 'join them; later ones win', path })]
    })
  },
}

/** The one device that an override selects, by its id; undefined where it may be more, or another selector is there. */
const onlyId = (override: OverrideDraft, context: RuleContext): string | undefined => {
  const [id, ...others] = idsOf(override, context)
  return isByIds(override) && override.idsFile === undefined && others.length === 0 ? id : undefined
}

const placeholders: Rule = {
  codes: ['UnknownPlaceholder'],
  because: 'a rule for device ids is made of what each device has',
  check: (context) =>
    eachOverride(context, (override, path) => {
      const [unknown] = unknownPlaceholders(override.set?.deviceId ?? '')
      if (unknown === undefined) return []
      const names = PLACEHOLDERS.map((name) => `{${name}}`).join(', ')
      const message = `the rule asks for {${unknown}}, which stands for nothing`
      const hint = `write one of ${names}; what is the same for all is written without braces`
      return [error({ code: 'UnknownPlaceholder', message, hint, path: [...path, 'set', 'deviceId'] })]
    }),
}

const ONE_ID = 'select exactly one by ids: [its-id-on-the-source], and by nothing else'

const newIds: Rule = {
  codes: ['DeviceIdNeedsOneId', 'DuplicateDeviceId'],
  because: 'a device id is unique in its application, so a new one is for one device',
  check: (context) => {
    const taken = new Map<string, string>()
    return eachOverride(context, (override, path) => {
      const deviceId = override.set?.deviceId
      if (deviceId === undefined || isTemplate(deviceId)) return []
      const at = [...path, 'set', 'deviceId']
      const id = onlyId(override, context)
      if (id === undefined) {
        const message = `the device id ${shown(deviceId)} is set for more than one device`
        return [error({ code: 'DeviceIdNeedsOneId', message, hint: ONE_ID, path: at })]
      }
      const other = taken.get(deviceId)
      taken.set(deviceId, id)
      if (other === undefined || other === id) return []
      const message = `the device id ${shown(deviceId)} is set for ${shown(other)} and for ${shown(id)}`
      return [error({ code: 'DuplicateDeviceId', message, hint: 'give each its own', path: at })]
    })
  },
}

const takenIds: Rule = {
  codes: ['DuplicateDeviceId'],
  because: 'two devices that cross cannot have one id on the target',
  check: (context) => {
    const overrides = context.draft.devices?.overrides ?? []
    const renamed = new Set(
      overrides.flatMap((override) =>
        override?.set?.deviceId === undefined ? [] : idsOf(override, context),
      ),
    )
    const included = includedIds(context) ?? new Set()
    const excluded = excludedIds(context)
    return eachOverride(context, (override, path) => {
      const deviceId = override.set?.deviceId
      if (deviceId === undefined || !included.has(deviceId)) return []
      if (renamed.has(deviceId) || excluded.has(deviceId)) return []
      const message = `the device id ${shown(deviceId)} is that of another device of this plan`
      const hint = 'choose another, or set a new id for that device too'
      return [error({ code: 'DuplicateDeviceId', message, hint, path: [...path, 'set', 'deviceId'] })]
    })
  },
}

const newDevEuis: Rule = {
  codes: ['DevEuiNeedsOneId', 'DuplicateDevEui'],
  cell: 'A9d',
  because: 'a DevEUI is that of one device in the world, so a new one is for one device',
  check: (context) => {
    const taken = new Map<string, string>()
    return eachOverride(context, (override, path) => {
      const devEui = override.set?.devEui === undefined ? undefined : parseDevEui(override.set.devEui)
      if (devEui === undefined) return []
      const at = [...path, 'set', 'devEui']
      const id = onlyId(override, context)
      if (id === undefined) {
        const message = `the DevEUI ${devEui} is set for more than one device`
        return [error({ code: 'DevEuiNeedsOneId', message, hint: ONE_ID, path: at })]
      }
      const other = taken.get(devEui)
      taken.set(devEui, id)
      if (other === undefined || other === id) return []
      const message = `the DevEUI ${devEui} is set for ${shown(other)} and for ${shown(id)}`
      return [error({ code: 'DuplicateDevEui', message, hint: 'give each its own', path: at })]
    })
  },
}

const versions: Rule = {
  codes: ['VersionMismatch'],
  because:
    'regional parameters belong to a LoRaWAN version; the Console of The Things Stack offers the same pairs',
  check: (context) =>
    eachOverride(context, ({ set }, path) => {
      if (set?.lorawanVersion === undefined || set.lorawanPhyVersion === undefined) return []
      const mac = canonicalMacVersion(set.lorawanVersion)
      const phy = canonicalPhyVersion(set.lorawanPhyVersion)
      const fitting = phyVersionsOf(mac)
      if (fitting === undefined || fitting.includes(phy)) return []
      const message = `the regional parameters ${phy} do not belong to ${mac}`
      const at = [...path, 'set', 'lorawanPhyVersion']
      return [error({ code: 'VersionMismatch', message, hint: `write ${fitting.join(' or ')}`, path: at })]
    }),
}

const rx1Delay: Rule = {
  codes: ['WithoutEffect'],
  cell: 'A6c',
  because: 'obeying RXTimingSetupReq matters only where another RX1 delay is asked for',
  check: (context) => {
    const overrides = context.draft.devices?.overrides ?? []
    const asks = [context.draft.policy?.rx1Delay, ...overrides.map((override) => override?.policy?.rx1Delay)]
    if (asks.some((delay) => delay !== undefined && delay !== 'keep')) return []
    return eachOverride(context, ({ set }, path) => {
      if (set?.obeysRxTimingSetup === undefined) return []
      const message = 'obeysRxTimingSetup has no effect, as rx1Delay is keep for all devices'
      const hint = 'leave it out, or write rx1Delay: target or a number'
      return [warning({ code: 'WithoutEffect', message, hint, path: [...path, 'set', 'obeysRxTimingSetup'] })]
    })
  },
}

export const OVERRIDE_RULES: readonly Rule[] = [
  selector,
  effect,
  repeatsPlan,
  repeatsSelector,
  placeholders,
  newIds,
  takenIds,
  newDevEuis,
  versions,
  rx1Delay,
]
