import { error, type Finding } from './finding.ts'
import type { SourceDocument } from './plan-document.ts'
import type { Rule, RuleContext } from './rule.ts'
import { explainMissing } from './schema-fields.ts'

type Kind = SourceDocument['network']

/** What each kind of source is called, and the fields that a plan gives it. */
const KINDS: { readonly [K in Kind]: { readonly name: string; readonly fields: readonly string[] } } = {
  'things-stack': {
    name: 'a The Things Stack',
    fields: ['url', 'servers', 'application', 'apiKey', 'caFile', 'insecure'],
  },
  'ttn-v2': {
    name: 'a Stack V2',
    fields: [
      'url',
      'discovery',
      'application',
      'accessKey',
      'defaults',
      'payloadFunctions',
      'caFile',
      'insecure',
    ],
  },
  file: { name: 'a file', fields: ['path', 'format', 'columns', 'defaults'] },
}

const ALL = [...new Set(Object.values(KINDS).flatMap(({ fields }) => fields))]

const ownersOf = (field: string): string =>
  Object.values(KINDS)
    .filter(({ fields }) => fields.includes(field))
    .map(({ name }) => name)
    .join(' or ')

/** Whether the plan writes a field of its source, right or wrong. */
const writes = ({ written }: RuleContext, name: string): boolean => written(['source', name])

const foreign = (context: RuleContext, kind: Kind): readonly Finding[] =>
  ALL.filter((name) => !KINDS[kind].fields.includes(name) && writes(context, name)).map((name) =>
    error({
      code: 'FieldOfOtherNetwork',
      message: `"${name}" is a field of ${ownersOf(name)}, and the source is ${KINDS[kind].name}`,
      hint: 'leave it out, or write the network that it belongs to',
      path: ['source', name],
      at: 'key',
    }),
  )

/** The handler of a Stack V2 is named by one of two fields. */
const handler = (context: RuleContext): readonly Finding[] => {
  const [hasUrl, hasDiscovery] = [writes(context, 'url'), writes(context, 'discovery')]
  if (!hasUrl && !hasDiscovery) return [explainMissing(['source'], 'url')]
  if (!hasUrl || !hasDiscovery) return []
  return [
    error({
      code: 'WrongValue',
      message: 'url and discovery both say where the handler is',
      hint: 'keep one of them',
      path: ['source', 'discovery'],
      at: 'key',
    }),
  ]
}

/** Columns are named where nobody else has said what they are called. */
const columns = (context: RuleContext): readonly Finding[] => {
  const { format } = context.draft.source ?? {}
  if (format === 'csv' && !writes(context, 'columns')) return [explainMissing(['source'], 'columns')]
  if (format === undefined || format === 'csv' || format === 'auto' || !writes(context, 'columns')) return []
  return [
    error({
      code: 'WrongValue',
      message: `columns are named for a CSV of any form, and format is ${format}`,
      hint: 'leave columns out, or write format: csv',
      path: ['source', 'columns'],
      at: 'key',
    }),
  ]
}

const fields: Rule = {
  codes: ['MissingField', 'FieldOfOtherNetwork', 'WrongValue'],
  because: 'each kind of source is reached in its own way',
  check: (context) => {
    const { network } = context.draft.source ?? {}
    if (network === undefined) return []
    return [
      ...foreign(context, network),
      ...(network === 'ttn-v2' ? handler(context) : []),
      ...(network === 'file' ? columns(context) : []),
    ]
  },
}

const identifying: Rule = {
  codes: ['ColumnsIncomplete'],
  because: 'a device is told from others by its DevEUI, or by its id where it is ABP below 1.0.4',
  check: ({ draft: { source } }) => {
    const named = source?.columns
    if (named === undefined || named.devEui !== undefined || named.deviceId !== undefined) return []
    return [
      error({
        code: 'ColumnsIncomplete',
        message: 'no column names the DevEUI or the device id, so no row is a device',
        hint: 'write columns.devEui',
        path: ['source', 'columns'],
      }),
    ]
  },
}

export const SOURCE_RULES: readonly Rule[] = [fields, identifying]
