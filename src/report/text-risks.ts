import { harmless } from './escape.ts'
import type { FindingGroup } from './findings.ts'
import type { Hand } from './hands.ts'
import { type Line, line, type Span, type Tone } from './layout.ts'
import type { Preview } from './preview.ts'
import { heading } from './text-head.ts'
import { cut, padEnd, padStart } from './width.ts'
import { count, devices, plural } from './words.ts'

/** The middle of a preview: risks, what can't be undone, what needs a hand, what is blocked, lost or assumed. */

const UNDO_WORDS = { yes: 'undo', partly: 'undo in part', no: 'no undo' } as const

export const risksPart = ({ risks }: Preview): readonly Line[] => {
  const present = risks.filter((risk) => risk.devices > 0)
  const zero = risks.filter((risk) => risk.devices === 0 && risk.tellsZero)
  const width = Math.max(1, ...present.map((risk) => count(risk.devices).length))
  const hang = 8 + width
  return [
    ...heading(
      'Risks',
      ...(present.length > 0 ? ([['dim', '   devices, why, and what undo is left']] as const) : []),
    ),
    ...present.flatMap((risk): readonly Line[] => [
      line(
        hang,
        '  ',
        [risk.asks ? 'yellow' : 'bold', risk.id],
        `  ${padStart(count(risk.devices), width)}  `,
        ['bold', `${risk.title}.`],
        ` ${risk.why}`,
      ),
      line(hang + 2, `${' '.repeat(hang)}${UNDO_WORDS[risk.undo]}: ${risk.undoBy}`),
    ]),
    ...(zero.length === 0
      ? []
      : [line(2, ['dim', `  ${zero.map((risk) => `${risk.title}: 0`).join('; ')}`])]),
  ]
}

export const irreversiblePart = ({ irreversible }: Preview): readonly Line[] => {
  if (irreversible.length === 0) return [...heading('Cannot be undone: 0')]
  return [
    ...heading('Cannot be undone'),
    ...irreversible.map((item) => line(4, '  ', ['red', devices(item.devices)], ` ${item.text}.`)),
  ]
}

/** Columns of a message that somebody else chose. */
const MESSAGE = 300

/** Device names in a line of a check list; all are in the JSON document. */
const LISTED = 20

/** The first names, and how many more there are. */
export const listed = (names: readonly string[], nameOf: (name: string) => string): string => {
  const rest = names.length - LISTED
  return `${names.slice(0, LISTED).map(nameOf).join(', ')}${rest > 0 ? `, and ${count(rest)} more` : ''}`
}

/** Lines of a list, before only their number is told. */
export const ITEMS = 12

const handItemLines = ({ list }: Hand): readonly Line[] => {
  if (list === undefined) return []
  const rest = list.items.length - ITEMS
  return [
    ...list.items.slice(0, ITEMS).flatMap((item) => {
      const text = cut(harmless(item.text), MESSAGE)
      const number = count(item.devices.length)
      const names = listed(item.devices, (name) => cut(harmless(name), 40))
      return list.kind === 'check'
        ? [line(14, `          [ ] ${text} (${number}): `, names)]
        : [line(12, `          ${number}: ${text}`), line(12, ['dim', `            ${names}`])]
    }),
    ...(rest > 0 ? [line(12, `          and ${count(rest)} more`)] : []),
  ]
}

export const handsPart = ({ hands }: Preview): readonly Line[] => {
  if (hands.length === 0) return [...heading('Needs a hand: nothing')]
  return [
    ...heading('Needs a hand'),
    ...hands.flatMap((hand) => [
      line(10, '  ', ['yellow', padEnd(hand.when, 6)], `  ${devices(hand.devices)}, ${hand.text}.`),
      ...handItemLines(hand),
    ]),
  ]
}

const names = (group: FindingGroup): string => {
  const more = group.devices - group.examples.length
  return `${group.examples.map((each) => cut(harmless(each), 60)).join(', ')}${more > 0 ? `, and ${count(more)} more` : ''}`
}

/** One finding: code, count and message, then the devices, then what to do. */
const findingLines = (group: FindingGroup, symbol: string, tone: Tone | undefined): readonly Line[] => {
  const code = harmless(group.code)
  const label: Span = tone === undefined ? `${symbol} ${code}` : [tone, `${symbol} ${code}`]
  const message = cut(harmless(group.message), MESSAGE)
  const number = group.devices === 0 ? '' : ` ${count(group.devices)}`
  return [
    line(4, '  ', label, `${number}: ${message}${group.differs ? ' (the first; the others differ)' : ''}`),
    ...(group.examples.length === 0 ? [] : [line(6, '    ', ['dim', names(group)])]),
    ...(group.hint === undefined ? [] : [line(9, `    fix: ${cut(harmless(group.hint), MESSAGE)}`)]),
  ]
}

export const blockedPart = ({ errors, blocked, excluded, gone, counts }: Preview): readonly Line[] => [
  ...(errors.length === 0
    ? []
    : [...heading('The plan as a whole'), ...errors.flatMap((group) => findingLines(group, '!', 'red'))]),
  ...heading(`Blocked: ${count(counts.blocked)}`),
  ...blocked.flatMap((group) => findingLines(group, '!', 'red')),
  ...(gone.length === 0
    ? []
    : [
        ...heading(`Gone from the source: ${count(counts.gone)}`),
        ...gone.flatMap((group) => findingLines(group, '?', 'yellow')),
      ]),
  ...(excluded.length === 0
    ? []
    : [
        ...heading(`Excluded: ${count(counts.excluded)}`),
        ...excluded.flatMap((group) => findingLines(group, 'x', undefined)),
      ]),
]

export const toldPart = ({ told, leftBehind }: Preview): readonly Line[] => {
  if (told.length === 0 && leftBehind.length === 0) return heading('Lost or assumed: nothing')
  return [
    ...heading('Lost or assumed'),
    ...told.flatMap((group) =>
      findingLines(
        group,
        group.severity === 'note' ? 'note   ' : 'warning',
        group.severity === 'note' ? undefined : 'yellow',
      ),
    ),
    ...leftBehind.map((rule) =>
      line(4, `  ${plural(rule.paths.length, 'field', 'fields')} not carried, ${devices(rule.devices)}: `, [
        'dim',
        `${pathList(rule.paths)} (${harmless(rule.because)})`,
      ]),
    ),
  ]
}

/** At most 8 paths by name. */
export const pathList = (paths: readonly string[]): string =>
  paths.length <= 8
    ? paths.map(harmless).join(', ')
    : `${paths.slice(0, 8).map(harmless).join(', ')} and ${count(paths.length - 8)} more`
