import { devEuiWords } from './becomes.ts'
import { staysMuted, wayWords } from './crossing.ts'
import { harmless, htmlText, markdownCode, markdownFence, markdownText, shellWord } from './escape.ts'
import { BRIEF, fieldView } from './field-view.ts'
import type { FindingGroup } from './findings.ts'
import type { ChangeGroup } from './groups.ts'
import type { Preview } from './preview.ts'
import { riskIdsOf } from './risks.ts'
import { groupTitle, rankedFields, varyingWords } from './text-groups.ts'
import { shownActions } from './text-head.ts'
import { pathList } from './text-risks.ts'
import { allowOption, isAllowable } from './verdict.ts'
import { cut } from './width.ts'
import { ACTION_WORDS, count, devices, plural, REGISTRY_SHORT, stepsWords } from './words.ts'

/** Sections of the Markdown preview; each is a list of lines, without blank lines around. */
export type Section = readonly string[]

/** What is left out where the text would get too long; each step of the budget tightens one of them. */
export interface Level {
  /** Device lines in a group's body. */
  readonly devices: number
  /** Groups with a body. */
  readonly bodies: number
  /** Groups with a heading. */
  readonly headings: number
  /** Columns of a message. */
  readonly message: number
  /** Whether findings name examples. */
  readonly examples: boolean
  /** Codes in a table of findings that is not about what blocks. */
  readonly codes: number
}

export const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`

const crossingCell = ({ crossing, ways }: Preview): string =>
  ways.length < 2
    ? `${count(crossing)} change network`
    : [
        `${count(crossing)} change network:`,
        ...ways.map((each) => `${count(each.devices)} ${wayWords(each.way, each.devices)}`),
      ].join('<br>')

export const countsTable = (preview: Preview): Section => [
  row('', 'Action', 'Devices', 'Means'),
  '|---|---|--:|---|',
  ...shownActions(preview).map((action) => {
    const { symbol, short, means } = ACTION_WORDS[action]
    return row(`\`${symbol}\``, short, count(preview.counts[action]), means)
  }),
  row('', '**all**', `**${count(preview.changeSet.devices.length)}**`, crossingCell(preview)),
]

export const guardsTable = ({ changeSet, counts }: Preview): Section =>
  changeSet.guards.length === 0
    ? []
    : [
        row('Guard', 'Used', 'Limit', '', 'Because'),
        '|---|--:|--:|---|---|',
        ...changeSet.guards.map((guard) =>
          row(
            guard.name,
            count(guard.used),
            count(guard.limit),
            guard.ok
              ? 'ok'
              : isAllowable(guard, counts)
                ? `**FAIL**, to allow it: \`${allowOption(guard)}\``
                : '**FAIL**',
            `${markdownText(guard.because)}${guard.of === undefined ? '' : ` (of ${count(guard.of)})`}`,
          ),
        ),
      ]

export const findingsTable = (
  title: string,
  all: readonly FindingGroup[],
  level: Level,
  limit: number,
): Section => {
  const groups = all.slice(0, limit)
  const rest = all.length - groups.length
  return [
    title,
    '',
    row('Code', 'Devices', 'Why', 'Fix'),
    '|---|--:|---|---|',
    ...groups.map((group) => {
      const more = group.devices - group.examples.length
      const examples = level.examples
        ? group.examples.map((each) => markdownCode(cut(harmless(each), 60))).join(' ') +
          (more > 0 ? ` and ${count(more)} more` : '')
        : ''
      return row(
        markdownText(cut(harmless(group.code), 60)),
        group.devices === 0 ? 'whole' : count(group.devices),
        [
          markdownText(cut(harmless(group.message), level.message)) +
            (group.differs ? ' (the first; the others differ)' : ''),
          examples,
        ]
          .filter((part) => part !== '')
          .join('<br>'),
        group.hint === undefined ? '' : markdownText(cut(harmless(group.hint), level.message)),
      )
    }),
    ...(rest > 0 ? ['', `and ${count(rest)} more codes`] : []),
  ]
}

export const leftBehindList = ({ leftBehind }: Preview): Section =>
  leftBehind
    .slice(0, 30)
    .map(
      (rule) =>
        `- ${plural(rule.paths.length, 'field', 'fields')} not carried, ${devices(rule.devices)}: ${markdownText(
          cut(pathList(rule.paths), 300),
        )} (${markdownText(cut(harmless(rule.because), 120))})`,
    )

const groupSummary = (group: ChangeGroup): string => {
  const first = group.devices[0]
  const risks = first === undefined ? [] : riskIdsOf(first)
  const codes = group.findings.slice(0, 5).map((finding) => htmlText(cut(harmless(finding.code), 60)))
  const marks = [...risks, ...codes]
  return `<b>${group.id}</b> ${htmlText(ACTION_WORDS[group.action].symbol)} <b>${devices(group.devices.length)}</b>: ${htmlText(
    cut(groupTitle(group), 200),
  )}${marks.length === 0 ? '' : ` (${marks.join(' ')})`}`
}

const FIELDS = 12
const VALUE = 160

const groupBody = (group: ChangeGroup, level: Level, file: string): Section => {
  const ranked = rankedFields(group)
  const show = markdownCode(`ferry show ${shellWord(file)} --group ${group.id}`)
  const shown = ranked.slice(0, FIELDS).flatMap(({ change, varying }) => {
    const view = fieldView(change, BRIEF)
    const note = varying === undefined ? '' : varyingWords(varying, group.devices.length)
    const remarks = [view.reason, note].filter((part) => part !== '').join('; ')
    const example = varying !== undefined && varying.distinct > 1 ? 'e.g. ' : ''
    return [
      cut(
        `${view.symbol} ${REGISTRY_SHORT[view.registry]} ${view.path}: ${example}${view.text}${remarks === '' ? '' : `  (${remarks})`}`,
        VALUE,
      ),
      ...view.block.map((text) =>
        cut(text.startsWith(' ') ? `    ${text}` : `${text.slice(0, 1)}   ${text.slice(1)}`, VALUE),
      ),
    ]
  })
  const counted = [
    ranked.length > FIELDS
      ? `${count(ranked.length - FIELDS)} more ${plural(ranked.length - FIELDS, 'field', 'fields')}: ${show}`
      : '',
    group.unchanged[1] > 0 ? `${count(group.unchanged[1])} unchanged` : '',
    group.leftBehind[1] > 0 ? `${count(group.leftBehind[1])} not carried` : '',
  ].filter((part) => part !== '')
  const names = group.devices
    .slice(0, level.devices)
    .map((device) =>
      cut(
        `${devEuiWords(device)}  ${harmless(device.device)}${device.target === device.device ? '' : ` -> ${harmless(device.target)}`}`,
        VALUE,
      ),
    )
  const rest = group.devices.length - names.length
  return [
    ...(shown.length === 0 ? [] : markdownFence(shown, 'diff')),
    ...(counted.length === 0 ? [] : ['', `(${counted.join(', ')})`]),
    ...(group.steps === undefined || group.steps.length === 0
      ? []
      : ['', `Now: ${markdownText(stepsWords(group.steps, staysMuted(group)))}.`]),
    ...(group.later === undefined || group.later.length === 0
      ? []
      : ['', `Later: ${markdownText(stepsWords(group.later, staysMuted(group)))}.`]),
    ...(names.length === 0 ? [] : ['', ...markdownFence(names, 'text')]),
    ...(rest > 0 ? ['', `${names.length === 0 ? 'Devices' : `And ${count(rest)} more`}: ${show}`] : []),
  ]
}

export const groupsSection = ({ groups }: Preview, level: Level, file: string): Section => {
  const listed = groups.filter(
    ({ action }) => action !== 'blocked' && action !== 'excluded' && action !== 'gone',
  )
  if (listed.length === 0) return []
  const bodies = listed.slice(0, level.bodies)
  const headings = listed.slice(level.bodies, level.headings)
  const rest = listed.length - bodies.length - headings.length
  return [
    `### Changes, ${count(listed.length)} ${plural(listed.length, 'group', 'groups')}`,
    '',
    ...bodies.flatMap((group) => [
      `<details><summary>${groupSummary(group)}</summary>`,
      '',
      ...groupBody(group, level, file),
      '',
      '</details>',
      '',
    ]),
    ...headings.map((group) => `- ${groupSummary(group)}`),
    ...(rest > 0 ? [`- and ${count(rest)} more groups`] : []),
  ]
}
