import type { HouseRules } from '../domain/house-rules.ts'
import { type Finding, warning } from './finding.ts'
import type { IdsFile } from './ids-file.ts'
import type { Path } from './located.ts'
import type { Draft, PolicyDocument, PolicyDraft } from './plan-document.ts'

export interface RuleContext {
  /** What the organisation says for all plans, if it does. */
  readonly organisation?: HouseRules
  /** The plan with defaults, without what does not fit the schema. */
  readonly draft: Draft
  /** Whether the plan itself says it, as opposed to a default. */
  readonly written: (path: Path) => boolean
  /** By their path as the plan writes it; those that could not be read are absent. */
  readonly idsFiles: ReadonlyMap<string, IdsFile>
  /** Absolute path of a path as the plan writes it. */
  readonly absolute: (path: string) => string
  /** Absolute path of the plan. */
  readonly file: string
}

/** What has to be true of a plan beyond its schema. */
export interface Rule {
  readonly codes: readonly string[]
  /** Cell of the table of the vendor's guides (`docs/plan.md`); absent where the rule has another source. */
  readonly cell?: string
  /** Why the rule is there. */
  readonly because: string
  readonly check: (context: RuleContext) => readonly Finding[]
}

export interface PolicyScope {
  /** `policy`, or the policy of one override. */
  readonly path: Path
  /** What holds for the devices of the scope. */
  readonly policy: PolicyDraft
  /** Fields that the scope itself sets. */
  readonly own: readonly string[]
}

const OF_PLAN: Path = ['policy']

/** The policies that a plan can give a device by one override: the plan's own, and that of each override. */
export const policyScopes = ({ draft, written }: RuleContext): readonly PolicyScope[] => {
  const plan = definedOnly(draft.policy ?? {})
  const overrides = (draft.devices?.overrides ?? []).flatMap((override, index): PolicyScope[] => {
    const policy = definedOnly(override?.policy ?? {})
    const path = ['devices', 'overrides', index, 'policy']
    return override?.policy === undefined
      ? []
      : [{ path, policy: { ...plan, ...policy }, own: Object.keys(policy) }]
  })
  const own = Object.keys(plan).filter((name) => written([...OF_PLAN, name]))
  return [{ path: OF_PLAN, policy: plan, own }, ...overrides]
}

const definedOnly = (
  policy: { readonly [K in keyof PolicyDraft]: PolicyDraft[K] | undefined },
): PolicyDraft => Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined))

/** Those that a finding may point at, the first choice first. */
export type DecidingFields = readonly (keyof PolicyDocument)[]

/**
 * Checks every policy of a plan, and points at the field that decides: for the plan's policy the first
 * that is written, for an override the first that it sets; an override that sets none of them is as the
 * plan is, which has been said.
 */
export const checkPolicies = (
  context: RuleContext,
  fields: DecidingFields | ((policy: PolicyDraft) => DecidingFields),
  check: (policy: PolicyDraft) => Finding | undefined,
): readonly Finding[] =>
  policyScopes(context).flatMap((scope) => {
    const candidates = typeof fields === 'function' ? fields(scope.policy) : fields
    const deciding = candidates.find((field) => scope.own.includes(field))
    if (deciding === undefined && scope.path !== OF_PLAN) return []
    const finding = check(scope.policy)
    if (finding === undefined) return []
    return [{ ...finding, path: deciding === undefined ? scope.path : [...scope.path, deciding] }]
  })

/**
 * Warns of a field that a policy sets and that changes nothing beside its other fields. A field of the plan's policy is
 * left alone where an override, which inherits it, gives it an effect.
 */
export const checkEffects = (
  context: RuleContext,
  field: keyof PolicyDocument,
  withoutEffect: (policy: PolicyDraft) => Pick<Finding, 'message' | 'hint'> | undefined,
): readonly Finding[] => {
  const scopes = policyScopes(context)
  const inherited = scopes.slice(1).filter(({ own }) => !own.includes(field))
  return scopes.flatMap(({ path, policy, own }) => {
    const text = own.includes(field) ? withoutEffect(policy) : undefined
    const hasEffectElsewhere =
      path === OF_PLAN && inherited.some((scope) => withoutEffect(scope.policy) === undefined)
    if (text === undefined || hasEffectElsewhere) return []
    return [warning({ code: 'WithoutEffect', ...text, path: [...path, field] })]
  })
}
