import { parseWindow } from './change-window.ts'
import { error, type Finding, warning } from './finding.ts'
import type { Path } from './located.ts'
import type { Draft } from './plan-document.ts'
import type { Rule, RuleContext } from './rule.ts'
import { shown } from './shown.ts'

export type SelectorDraft = NonNullable<NonNullable<NonNullable<Draft['devices']>['include']>[number]>

export const SELECTOR_FIELDS = ['all', 'ids', 'idsFile', 'match', 'attributes'] as const

interface NamedId {
  readonly id: string
  readonly path: Path
}

/** The ids that a selector lists itself. */
const listedIds = (selector: SelectorDraft | undefined, path: Path): readonly NamedId[] =>
  (selector?.ids ?? []).flatMap((id, index) =>
    id === undefined ? [] : [{ id, path: [...path, 'ids', index] }],
  )

const filedIds = (selector: SelectorDraft | undefined, { idsFiles }: RuleContext): readonly string[] =>
  selector?.idsFile === undefined ? [] : (idsFiles.get(selector.idsFile)?.ids ?? [])

/** All ids that a selector names, in the plan and in its file. */
export const idsOf = (selector: SelectorDraft | undefined, context: RuleContext): readonly string[] => [
  ...listedIds(selector, []).map(({ id }) => id),
  ...filedIds(selector, context),
]

/** Whether a selector chooses devices by their ids alone, so that the plan tells which. */
export const isByIds = (selector: SelectorDraft | undefined): boolean =>
  selector !== undefined &&
  (selector.ids !== undefined || selector.idsFile !== undefined) &&
  selector.all === undefined &&
  selector.match === undefined &&
  selector.attributes === undefined

/** Ids that are certainly included, or undefined where the plan does not tell all of them. */
export const includedIds = (context: RuleContext): ReadonlySet<string> | undefined => {
  const include = context.draft.devices?.include
  if (include === undefined || !include.every(isByIds)) return undefined
  const read = include.every(
    (selector) => selector?.idsFile === undefined || context.idsFiles.has(selector.idsFile),
  )
  return read ? new Set(include.flatMap((selector) => idsOf(selector, context))) : undefined
}

/** Ids that are certainly excluded. */
export const excludedIds = (context: RuleContext): ReadonlySet<string> =>
  new Set((context.draft.devices?.exclude ?? []).flatMap((selector) => idsOf(selector, context)))

const duplicateIds: Rule = {
  codes: ['DuplicateId'],
  because: 'an id that is named twice was probably meant to be another',
  check: (context) =>
    (['include', 'exclude'] as const).flatMap((list) => {
      const selectors = context.draft.devices?.[list] ?? []
      const filed = new Set(selectors.flatMap((selector) => filedIds(selector, context)))
      const listed = selectors.flatMap((selector, index) => listedIds(selector, ['devices', list, index]))
      return repeated(listed, filed, list)
    }),
}

const duplicateOverrideIds: Rule = {
  codes: ['DuplicateId'],
  because: 'an id that is named twice was probably meant to be another',
  check: (context) =>
    (context.draft.devices?.overrides ?? []).flatMap((override, index) => {
      const filed = new Set(filedIds(override, context))
      return repeated(listedIds(override, ['devices', 'overrides', index]), filed, 'override')
    }),
}

const repeated = (
  listed: readonly NamedId[],
  filed: ReadonlySet<string>,
  list: string,
): readonly Finding[] => {
  const seen = new Set<string>()
  return listed.flatMap(({ id, path }) => {
    const again = seen.has(id)
    seen.add(id)
    if (!again && !filed.has(id)) return []
    const message = `the device id ${shown(id)} is named ${again ? 'twice' : 'in an idsFile too'} (${list})`
    return [warning({ code: 'DuplicateId', message, hint: 'remove one of them', path })]
  })
}

const includedAndExcluded: Rule = {
  codes: ['ExcludedId'],
  because: 'exclude wins, so a device that both lists name stays where it is',
  check: (context) => {
    const excluded = excludedIds(context)
    return (context.draft.devices?.include ?? [])
      .flatMap((selector, index) => listedIds(selector, ['devices', 'include', index]))
      .filter(({ id }) => excluded.has(id))
      .map(({ id, path }) => {
        const message = `the device id ${shown(id)} is included and excluded, and stays on the source`
        return warning({ code: 'ExcludedId', message, hint: 'name it in one of the lists', path })
      })
  },
}

const everythingExcluded: Rule = {
  codes: ['ExcludesEverything'],
  because: 'a plan that moves nothing is a mistake',
  check: ({ draft }) =>
    (draft.devices?.exclude ?? []).flatMap((selector, index) => {
      if (selector?.all !== true && selector?.match?.replaceAll('*', '') !== '') return []
      const field = selector.all === true ? 'all' : 'match'
      const path = ['devices', 'exclude', index, field]
      const message = 'exclude takes out every device'
      return [error({ code: 'ExcludesEverything', message, hint: 'remove the entry', path })]
    }),
}

const redundantInclude: Rule = {
  codes: ['WithoutEffect'],
  because: 'entries add up, so beside all devices no other entry adds any',
  check: ({ draft }) => {
    const include = draft.devices?.include ?? []
    const all = include.findIndex((selector) => selector?.all === true)
    if (all < 0) return []
    return include.flatMap((selector, index) => {
      const field = SELECTOR_FIELDS.find((name) => name !== 'all' && selector?.[name] !== undefined)
      if (field === undefined) return []
      const path = ['devices', 'include', index, field]
      const message = `"${field}" has no effect, as all: true includes every device`
      return [warning({ code: 'WithoutEffect', message, hint: 'remove it, or remove all: true', path })]
    })
  },
}

const idsFilesEmpty: Rule = {
  codes: ['EmptyIdsFile'],
  because: 'a list of ids that is empty was probably not written to the end',
  check: ({ draft, idsFiles }) =>
    (['include', 'exclude', 'overrides'] as const).flatMap((list) =>
      (draft.devices?.[list] ?? []).flatMap((selector, index) => {
        const name = selector?.idsFile
        const file = name === undefined ? undefined : idsFiles.get(name)
        if (name === undefined || file === undefined || file.ids.length > 0 || file.findings.length > 0)
          return []
        const path = ['devices', list, index, 'idsFile']
        const message = `the file ${shown(name)} names no device`
        return [warning({ code: 'EmptyIdsFile', message, hint: 'write one device id a line', path })]
      }),
    ),
}

const canary: Rule = {
  codes: ['CanaryIsAll'],
  because: 'devices that go first are to be fewer than all',
  check: (context) => {
    const path = ['rollout', 'canary']
    const first = context.draft.rollout?.canary ?? 0
    const included = includedIds(context)
    if (first === 0 || included === undefined || !context.written(path)) return []
    const excluded = excludedIds(context)
    const count = [...included].filter((id) => !excluded.has(id)).length
    if (count === 0 || count > first) return []
    const message = `canary is ${first}, and the plan selects ${count} ${count === 1 ? 'device' : 'devices'}: all of them go first`
    return [warning({ code: 'CanaryIsAll', message, hint: 'write fewer, or leave it out', path })]
  },
}

const window: Rule = {
  codes: ['WrongValue'],
  because: 'a window that nobody can read is none',
  check: ({ draft }) => {
    const text = draft.rollout?.window
    const parsed = text === undefined ? undefined : parseWindow(text)
    if (text === undefined || parsed === undefined || !('hint' in parsed)) return []
    const { message, hint } = parsed
    return [
      error({
        code: 'WrongValue',
        message: `"window" is ${shown(text)}, which ${message}`,
        hint,
        path: ['rollout', 'window'],
      }),
    ]
  },
}

const minHeard: Rule = {
  codes: ['WithoutEffect'],
  because: 'only a wave, or a canary, has others that wait for it',
  check: ({ draft: { rollout }, written }) => {
    const path = ['rollout', 'minHeard']
    if (!written(path) || written(['rollout', 'waves']) || (rollout?.canary ?? 0) > 0) return []
    const message = 'minHeard has no effect without canary or waves'
    return [warning({ code: 'WithoutEffect', message, hint: 'leave it out, or write waves', path })]
  },
}

export const SELECTION_RULES: readonly Rule[] = [
  duplicateIds,
  duplicateOverrideIds,
  includedAndExcluded,
  everythingExcluded,
  redundantInclude,
  idsFilesEmpty,
  canary,
  window,
  minHeard,
]
