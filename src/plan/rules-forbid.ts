import type { Forbiddable } from '../domain/house-rules.ts'
import { error } from './finding.ts'
import type { PolicyDocument, PolicyDraft } from './plan-document.ts'
import { checkPolicies, type Rule } from './rule.ts'

interface Kind {
  /** Fields that order it, the first choice first. */
  readonly fields: readonly (keyof PolicyDocument)[]
  readonly isOrdered: (policy: PolicyDraft) => boolean
  readonly does: string
  readonly instead: string
}

const KINDS: Readonly<Record<Forbiddable, Kind>> = {
  deleteSource: {
    fields: ['deleteSource', 'handover'],
    isOrdered: ({ deleteSource, handover }) => deleteSource !== 'never' || handover === 'delete-first',
    does: 'deletes devices on the source',
    instead: 'deleteSource: never, and handover: stop-first',
  },
  resetFrameCounters: {
    fields: ['resetFrameCounters'],
    isOrdered: ({ resetFrameCounters }) => resetFrameCounters === true,
    does: 'has frame counters begin again',
    instead: 'resetFrameCounters: false',
  },
  joinAnew: {
    fields: ['persistSession'],
    isOrdered: ({ persistSession }) => persistSession !== true,
    does: 'has devices join anew',
    instead: 'persistSession: true',
  },
  replaceRootKeys: {
    fields: ['preventRejoin'],
    isOrdered: ({ preventRejoin }) => preventRejoin !== 'none',
    does: 'replaces root keys on the source',
    instead: 'preventRejoin: none',
  },
  reprogram: {
    fields: ['rootKeys', 'abp'],
    isOrdered: ({ rootKeys, abp }) => rootKeys === 'generate' || (abp !== undefined && abp !== 'keep'),
    does: 'needs devices to be re-programmed',
    instead: 'rootKeys: keep, and abp: keep',
  },
  unmute: {
    fields: ['mutedSource'],
    isOrdered: ({ mutedSource }) => mutedSource === 'unmute',
    does: 'unmutes devices that others muted',
    instead: 'mutedSource: blocked',
  },
  adopt: {
    fields: ['adopt'],
    isOrdered: ({ adopt }) => adopt === 'partial',
    does: 'completes what others registered on the target',
    instead: 'adopt: none',
  },
}

const forbidden: Rule = {
  codes: ['Forbidden'],
  because: 'what a plan or its organisation forbids is not done, whoever asks for it',
  check: (context) => {
    const own = (context.draft.forbid ?? []).map((name) => ({ name, by: 'the plan' }))
    const ofHouse = (context.organisation?.forbid ?? []).map((name) => ({ name, by: 'the organisation' }))
    const byName = new Map([...own, ...ofHouse].map((entry) => [entry.name, entry.by]))
    return [...byName].flatMap(([name, by]) => {
      const kind = name === undefined ? undefined : KINDS[name]
      if (kind === undefined) return []
      return checkPolicies(context, kind.fields, (policy) =>
        kind.isOrdered(policy)
          ? error({
              code: 'Forbidden',
              message: `the policy ${kind.does}, which ${by} forbids (${name})`,
              hint: `write ${kind.instead}`,
            })
          : undefined,
      )
    })
  },
}

export const FORBID_RULES: readonly Rule[] = [forbidden]
