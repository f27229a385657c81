import type { ChangeSet } from '../domain/change-set.ts'
import { applicationLines } from './application.ts'
import { harmless, shellWord } from './escape.ts'
import { gatewayLines } from './gateways.ts'
import {
  blank,
  DEFAULT_WIDTH,
  type Line,
  line,
  MIN_WIDTH,
  PLAIN_STYLE,
  renderLines,
  type Style,
} from './layout.ts'
import { type Preview, previewOf } from './preview.ts'
import { groupHeading, groupLines, OVERVIEW, sameStepsAs } from './text-groups.ts'
import { countsPart, guardsPart, heading, headline, VERDICT_TONE } from './text-head.ts'
import { blockedPart, handsPart, irreversiblePart, risksPart, toldPart } from './text-risks.ts'
import { pendingCount } from './verdict.ts'
import { count, shortDigest } from './words.ts'

export interface TextOptions {
  /** Columns of the terminal; at least 60 are used, 100 where it is not known. */
  readonly width?: number
  readonly style?: Style
  /** File of the saved change set, for the commands that the preview names. */
  readonly file?: string
  /** A question follows: the command that comes next is the answer to it, and is not named. */
  readonly asks?: boolean
}

/** Settled with defaults. */
export const textOptions = (options: TextOptions): Required<TextOptions> => ({
  width: Math.max(MIN_WIDTH, Math.floor(options.width ?? DEFAULT_WIDTH)),
  style: options.style ?? PLAIN_STYLE,
  file: options.file ?? 'CHANGE_SET',
  asks: options.asks ?? false,
})

/** Groups with a body; of those after them only the heading is written. */
const BODIES = 16
const HEADINGS = 40

const groupsPart = ({ groups }: Preview, options: Required<TextOptions>): readonly Line[] => {
  const listed = groups.filter(
    (group) => group.action !== 'blocked' && group.action !== 'excluded' && group.action !== 'gone',
  )
  if (listed.length === 0) return []
  const show = `ferry show ${shellWord(options.file)}`
  const rest = listed.slice(BODIES)
  const more = rest.length - HEADINGS
  return [
    ...heading(`Changes, ${count(listed.length)} ${listed.length === 1 ? 'group' : 'groups'}`),
    ...listed.slice(0, BODIES).flatMap((group, index) => [
      ...(index === 0 ? [] : [blank]),
      ...groupLines(group, {
        ...OVERVIEW,
        width: options.width,
        file: options.file,
        stepsAs: sameStepsAs(listed, index),
      }),
    ]),
    ...(rest.length === 0 ? [] : [blank, ...rest.slice(0, HEADINGS).map(groupHeading)]),
    ...(more > 0 ? [line(2, `  and ${count(more)} more groups: ${show} --format json`)] : []),
    blank,
    line(4, ['dim', `  all of a group: ${show} --group ${listed[0]?.id}`]),
    line(4, ['dim', `  all of a device: ${show} --device ID`]),
  ]
}

const filesPart = ({ changeSet }: Preview): readonly Line[] => [
  ...heading('Files', ['dim', '   beside the plan, where no folder is named']),
  ...(['state', 'escrow', 'lock'] as const).map((name) =>
    line(10, `  ${name.padEnd(6)}  ${harmless(changeSet.files[name])}`),
  ),
  line(10, '  plan    ', harmless(changeSet.plan.file)),
  ...(changeSet.digestKey === 'plan'
    ? []
    : [
        line(4, '  ', [
          'dim',
          'The change set holds digests of keys under a derived key: whoever has it can test guesses of keys. Name a digestKey in the plan to prevent that.',
        ]),
      ]),
]

/** `Plan 9f2c41d07a3e: 8,190 to create, ..., 0 deletes on the source, 7 blocked.` */
export const summaryLine = (preview: Preview): string => {
  const { counts, changeSet, deleting, held } = preview
  const parts = [
    ...(held.length > 0 ? [`${count(held.length)} on no network`] : []),
    `${count(counts.create)} to create`,
    ...(counts.resume > 0 ? [`${count(counts.resume)} to resume`] : []),
    `${count(counts.update)} to update`,
    ...(counts.adopt > 0 ? [`${count(counts.adopt)} to adopt`] : []),
    ...(counts.retire > 0 ? [`${count(counts.retire)} to retire`] : []),
    ...(counts.wait > 0 ? [`${count(counts.wait)} waiting`] : []),
    ...(counts.done > 0 ? [`${count(counts.done)} done`] : []),
    `${count(deleting)} ${deleting === 1 ? 'delete' : 'deletes'} on the source`,
    `${count(counts.blocked)} blocked`,
    `of ${count(changeSet.devices.length)}`,
  ]
  return `Plan ${shortDigest(changeSet.digest)}: ${parts.join(', ')}.`
}

/** The command that comes next, or undefined where there is none. */
export const nextCommand = ({ changeSet, counts, judgement }: Preview, file: string): string | undefined => {
  if (judgement.verdict === 'BLOCKED' || pendingCount(counts) === 0) return undefined
  const what = file === 'CHANGE_SET' ? changeSet.plan.file : file
  return `ferry apply ${shellWord(what)}`
}

const endPart = (preview: Preview, options: Required<TextOptions>): readonly Line[] => {
  const next = options.asks ? undefined : nextCommand(preview, options.file)
  const { verdict } = preview.judgement
  return [
    blank,
    line(8, 'digest  ', preview.changeSet.digest),
    ...(next === undefined ? [] : [line(8, 'next    ', next)]),
    line(2, [VERDICT_TONE[verdict], verdict], '  ', summaryLine(preview)),
  ]
}

const applicationPart = ({ changeSet }: Preview): readonly Line[] => {
  const lines = applicationLines(changeSet)
  return lines.length === 0 ? [] : [blank, ...lines]
}

const gatewaysPart = ({ changeSet }: Preview): readonly Line[] => {
  const lines = gatewayLines(changeSet)
  return lines.length === 0 ? [] : [blank, ...lines]
}

/** The preview for a terminal: no line is wider than `width`, the summary is the last line. */
export const renderText = (changeSet: ChangeSet, options: TextOptions = {}): string => {
  const preview = previewOf(changeSet)
  const settled = textOptions(options)
  const lines = [
    ...headline(preview),
    ...countsPart(preview),
    ...guardsPart(preview),
    ...risksPart(preview),
    ...irreversiblePart(preview),
    ...handsPart(preview),
    ...gatewaysPart(preview),
    ...applicationPart(preview),
    ...blockedPart(preview),
    ...toldPart(preview),
    ...groupsPart(preview, settled),
    ...filesPart(preview),
    ...endPart(preview, settled),
  ]
  return renderLines(lines, settled.width, settled.style)
}
