import type { Action } from '../domain/change-set.ts'
import { ACTIONS } from '../domain/change-set.ts'
import { wayWords } from './crossing.ts'
import { harmless } from './escape.ts'
import { blank, type Line, line, type Span, type Tone } from './layout.ts'
import { policyWords } from './policy-words.ts'
import type { Preview } from './preview.ts'
import { allowOption, isAllowable, type Verdict } from './verdict.ts'
import { cut, padEnd, padStart } from './width.ts'
import { ACTION_WORDS, count, devices, networkName, plural, shortDigest } from './words.ts'

/** The first part of a preview: verdict, networks, counts, guards. */

export const VERDICT_TONE: Readonly<Record<Verdict, Tone>> = {
  READY: 'green',
  'READY WITH RISKS': 'yellow',
  BLOCKED: 'red',
  'NO CHANGES': 'green',
}

export const heading = (text: string, ...rest: readonly Span[]): readonly Line[] => [
  blank,
  line(2, ['bold', text], ...rest),
]

export const headline = ({ changeSet, judgement, held }: Preview): readonly Line[] => [
  line(
    2,
    ['bold', cut(harmless(changeSet.plan.name), 60)],
    '   plan ',
    shortDigest(changeSet.digest),
    '   ',
    [VERDICT_TONE[judgement.verdict], judgement.verdict],
  ),
  // The first reason is what no network serves, where there is such a device.
  ...judgement.reasons.map((reason, index) =>
    line(4, '  ', held.length > 0 && index === 0 ? ['red', harmless(reason)] : harmless(reason)),
  ),
  blank,
  line(10, '  from    ', networkName(changeSet.source)),
  line(10, '  to      ', networkName(changeSet.target)),
  line(10, '  policy  ', ['dim', harmless(policyWords(changeSet).join('; '))]),
]

/** Always told, so that the sum can be done and a filter that selects all or nothing is noticed. */
const ALWAYS: readonly Action[] = ['create', 'update', 'blocked', 'excluded']

export const shownActions = ({ counts }: Preview): readonly Action[] =>
  ACTIONS.filter((action) => ALWAYS.includes(action) || counts[action] > 0)

/** How they cross: in one line where all cross alike, else a line for each way. */
const crossingLines = ({ crossing, ways }: Preview): readonly Line[] => {
  const [first] = ways
  if (first === undefined) return []
  const head = `  ${count(crossing)} of them ${plural(crossing, 'changes', 'change')} network:`
  if (ways.length === 1) {
    return [line(4, `${head} ${plural(crossing, 'it', 'they')} ${wayWords(first.way, crossing)}.`)]
  }
  const width = Math.max(...ways.map((each) => count(each.devices).length))
  return [
    line(4, head),
    ...ways.map((each) =>
      line(6 + width, `    ${padStart(count(each.devices), width)}  ${wayWords(each.way, each.devices)}`),
    ),
  ]
}

export const countsPart = (preview: Preview): readonly Line[] => {
  const { counts, changeSet } = preview
  const width = count(changeSet.devices.length).length
  return [
    ...heading(devices(changeSet.devices.length)),
    ...shownActions(preview).map((action): Line => {
      const { symbol, tone, short, means } = ACTION_WORDS[action]
      const number = counts[action]
      const label = `${symbol} ${padEnd(short, 8)}`
      const text = number > 0 && tone !== undefined ? ([tone, label] as const) : label
      return line(16 + width, '  ', text, '  ', padStart(count(number), width), '  ', ['dim', means])
    }),
    ...crossingLines(preview),
  ]
}

export const guardsPart = ({ changeSet, counts }: Preview): readonly Line[] =>
  changeSet.guards.length === 0
    ? []
    : [
        ...heading('Guards'),
        ...changeSet.guards.flatMap((guard) => {
          const of = guard.of === undefined ? '' : ` (of ${count(guard.of)})`
          const used = padStart(`${count(guard.used)} / ${count(guard.limit)}`, 9)
          return [
            line(
              36,
              '  ',
              guard.ok ? (['green', 'ok  '] as const) : (['red', 'FAIL'] as const),
              `  ${padEnd(guard.name, 15)}  ${used}  `,
              ['dim', `${harmless(guard.because)}${of}`],
            ),
            ...(isAllowable(guard, counts) ? [line(8, `        to allow it: ${allowOption(guard)}`)] : []),
          ]
        }),
      ]
