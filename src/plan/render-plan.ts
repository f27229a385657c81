import type { FileColumns, FileEnd, Policy, SecretReference } from '../domain/migration-plan.ts'
import { isOneDeployment } from './addresses.ts'

/** One network of a plan that is being written. */
interface PlanEndAnswers {
  readonly url: string
  readonly application: string
  readonly apiKey: SecretReference
  readonly caFile?: string
  /** Only for networks on this machine. */
  readonly insecure?: boolean
  readonly servers?: Readonly<Record<string, string>>
}

/** A file of devices, for a plan that is being written. */
interface PlanFileAnswers {
  /** Relative to the plan. */
  readonly file: string
  readonly columns?: FileColumns
  readonly defaults?: NonNullable<FileEnd['defaults']>
}

/** What `ferry init` asks, or takes from flags. */
export interface PlanAnswers {
  readonly name: string
  readonly source: PlanEndAnswers | PlanFileAnswers
  readonly target: PlanEndAnswers
  readonly persistSession: boolean
  readonly policy?: Partial<Omit<Policy, 'persistSession'>>
  readonly gateways?: 'on-target' | 'moving-now' | 'packet-broker' | 'unknown'
  /** Device ids; left out, the whole application moves. */
  readonly ids?: readonly string[]
  readonly idsFile?: string
  readonly match?: string
  /** age public keys. */
  readonly recipients?: readonly string[]
  /** Path or address of the schema, by which editors complete; left out, the plan names none. */
  readonly schema?: string
}

/** A text as a YAML scalar: as it is where YAML cannot take it for anything else, else quoted. */
const scalar = (text: string): string =>
  /^(?:https?:\/\/[\w.:[\]-]+|[A-Za-z_][\w./-]*)$/.test(text) && !/^(?:true|false|null)$/i.test(text)
    ? text
    : JSON.stringify(text)

const secret = (reference: SecretReference): string =>
  'env' in reference ? `{ env: ${scalar(reference.env)} }` : `{ file: ${scalar(reference.file)} }`

const endLines = (end: PlanEndAnswers, about: string): readonly string[] => [
  '  network: things-stack',
  `  url: ${scalar(end.url)}`,
  ...(end.servers === undefined || Object.keys(end.servers).length === 0
    ? []
    : ['  servers:', ...Object.entries(end.servers).map(([name, url]) => `    ${name}: ${scalar(url)}`)]),
  `  application: ${scalar(end.application)}${about}`,
  `  apiKey: ${secret(end.apiKey)} # by reference: a plan holds no secret`,
  ...(end.caFile === undefined ? [] : [`  caFile: ${scalar(end.caFile)}`]),
  ...(end.insecure === true ? ['  insecure: true # plain http, on this machine only'] : []),
]

const fileLines = ({ file, columns, defaults }: PlanFileAnswers): readonly string[] => [
  '  network: file # is read, and never written',
  `  path: ${scalar(file)}`,
  ...(columns === undefined
    ? []
    : [
        '  format: csv',
        '  columns: # what the columns hold, by their headings; look whether this is right',
        ...Object.entries(columns).map(([name, heading]) => `    ${name}: ${flow(heading)}`),
      ]),
  ...(defaults === undefined
    ? []
    : [
        '  defaults: # where the file does not say it',
        ...Object.entries(defaults).map(([name, value]) => `    ${name}: ${flow(value)}`),
      ]),
]

const includeLines = ({ ids, idsFile, match }: PlanAnswers): readonly string[] => {
  const lines = [
    ...(ids === undefined || ids.length === 0
      ? []
      : [
          '    - ids:',
          ...ids.map(
            (id) => `        - ${/^[a-z]+(?:-[a-z0-9]+)*$/.test(id) ? scalar(id) : JSON.stringify(id)}`,
          ),
        ]),
    ...(idsFile === undefined ? [] : [`    - idsFile: ${scalar(idsFile)}`]),
    ...(match === undefined ? [] : [`    - match: ${JSON.stringify(match)}`]),
  ]
  return lines.length === 0 ? ['    - all: true'] : lines
}

/** A value of the policy as YAML on one line; JSON is YAML. */
const flow = (value: unknown): string => (typeof value === 'string' ? scalar(value) : JSON.stringify(value))

const HAS_OWN_LINE = ['resetFrameCounters', 'rx1Delay', 'deleteSource', 'handover', 'preventRejoin']

/** Within one deployment no other order works, so it is written unasked. */
const handoverOf = ({ policy = {}, source, target }: PlanAnswers): Policy['handover'] | undefined =>
  policy.handover ?? (!('file' in source) && isOneDeployment(source, target) ? 'delete-first' : undefined)

const handoverLines = (answers: PlanAnswers): readonly string[] => {
  if ('file' in answers.source)
    return ['  # Whoever serves the devices is stopped by hand; then: ferry apply with --confirm-handover']
  const handover = handoverOf(answers)
  const deleteSource = answers.policy?.deleteSource ?? 'never'
  // with delete-first it has no effect
  const retire =
    handover === 'delete-first' ? [] : [`  deleteSource: ${deleteSource} # never, after-import, after-heard`]
  if (handover === undefined) return retire
  const about =
    handover === 'delete-first'
      ? ' # the only order within one deployment; uplinks in between are lost'
      : ' # the source is silenced before the target answers'
  return [...retire, `  handover: ${handover}${about}`]
}

const policyLines = (answers: PlanAnswers): readonly string[] => {
  const { persistSession, policy = {}, gateways = 'unknown' } = answers
  return [
    'policy:',
    '  # true: sessions go on at the target, and gateways have to move; false: OTAA devices join anew',
    `  persistSession: ${persistSession}`,
    ...(policy.resetFrameCounters === undefined
      ? []
      : [`  resetFrameCounters: ${policy.resetFrameCounters}`]),
    `  rx1Delay: ${policy.rx1Delay ?? 'keep'} # keep, target, or 1 to 15 seconds`,
    ...handoverLines(answers),
    ...(policy.preventRejoin === undefined ? [] : [`  preventRejoin: ${policy.preventRejoin}`]),
    ...Object.entries(policy)
      .filter(([name, value]) => value !== undefined && !HAS_OWN_LINE.includes(name))
      .map(([name, value]) => `  ${name}: ${flow(value)}`),
    '',
    '# Devices that keep their DevAddr are heard only through gateways of the target.',
    'coverage:',
    `  gateways: ${gateways} # on-target, moving-now, packet-broker, unknown`,
  ]
}

const escrowLines = ({ recipients = [] }: PlanAnswers): readonly string[] => [
  '# Full records of the source are kept here, encrypted, before it is touched.',
  'escrow:',
  ...(recipients.length === 0
    ? ['  recipients: [] # age1... public keys, from: ferry escrow keygen']
    : ['  recipients:', ...recipients.map((recipient) => `    - ${scalar(recipient)}`)]),
]

/**
 * A plan as YAML, with the comments that a first reader needs and, with `answers.schema`, the line by which
 * editors find the schema. Texts are quoted where YAML could take them for something else; what `answers` hold is not
 * checked here: validate the result.
 */
export const renderPlan = (answers: PlanAnswers): string =>
  [
    ...(answers.schema === undefined ? [] : [`# yaml-language-server: $schema=${answers.schema}`]),
    '# A migration plan. Check it with: ferry validate. See what it would do with: ferry plan.',
    'apiVersion: ferry/v1',
    'kind: MigrationPlan',
    'metadata:',
    `  name: ${scalar(answers.name)} # names the state file, the lock and the escrow`,
    '',
    'source:',
    ...('file' in answers.source ? fileLines(answers.source) : endLines(answers.source, '')),
    'target:',
    ...endLines(answers.target, ' # has to exist'),
    '',
    'devices:',
    '  include: # any of: all, ids, idsFile, match, attributes',
    ...includeLines(answers),
    '  exclude: []',
    '  overrides: [] # other policy or settings for some devices',
    '',
    ...policyLines(answers),
    '',
    ...escrowLines(answers),
    '',
  ].join('\n')
