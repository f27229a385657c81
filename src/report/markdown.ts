import type { ChangeSet } from '../domain/change-set.ts'
import { applicationList } from './application.ts'
import { harmless, markdownCode, markdownText, shellWord } from './escape.ts'
import { gatewayList } from './gateways.ts'
import {
  countsTable,
  findingsTable,
  groupsSection,
  guardsTable,
  type Level,
  leftBehindList,
  type Section,
} from './markdown-parts.ts'
import { handsList, irreversibleList, risksTable } from './markdown-risks.ts'
import { policyWords } from './policy-words.ts'
import { type Preview, previewOf } from './preview.ts'
import { nextCommand, summaryLine } from './text.ts'
import { cut } from './width.ts'
import { count, networkName, shortDigest } from './words.ts'

/** GitHub takes 65,536 characters in a comment. */
const MARKDOWN_BUDGET = 65_000

export interface MarkdownOptions {
  readonly file?: string
  /** Most characters of the whole. */
  readonly budget?: number
}

/** The first line: invisible, and the same for every preview of a plan, so that a comment can be found and replaced. */
const markdownMarker = (planName: string): string =>
  `<!-- ferry:preview ${encodeURIComponent(cut(harmless(planName), 60)).replaceAll('-', '%2D')} -->`

const head = (preview: Preview): Section => {
  const { changeSet, judgement } = preview
  return [
    markdownMarker(changeSet.plan.name),
    `## ${judgement.verdict}: migration plan ${markdownCode(cut(changeSet.plan.name, 60))} \`${shortDigest(changeSet.digest)}\``,
    '',
    `**${markdownText(summaryLine(preview))}**`,
    '',
    ...judgement.reasons.slice(0, 20).map((reason) => `- ${markdownText(cut(reason, 300))}`),
    '',
    `From ${markdownCode(networkName(changeSet.source))} to ${markdownCode(networkName(changeSet.target))}. Policy: ${markdownText(policyWords(changeSet).join('; '))}.`,
  ]
}

const blockedSections = (preview: Preview, level: Level): readonly Section[] => [
  preview.errors.length === 0 ? [] : findingsTable('### The plan as a whole', preview.errors, level, 50),
  preview.blocked.length === 0
    ? ['**Blocked: 0**']
    : findingsTable(`### Blocked: ${count(preview.counts.blocked)}`, preview.blocked, level, 50),
]

const toldSections = (preview: Preview, level: Level): readonly Section[] => [
  preview.gone.length === 0
    ? []
    : findingsTable(
        `### Gone from the source: ${count(preview.counts.gone)}`,
        preview.gone,
        level,
        level.codes,
      ),
  preview.excluded.length === 0
    ? []
    : findingsTable(`### Excluded: ${count(preview.counts.excluded)}`, preview.excluded, level, level.codes),
  preview.told.length === 0
    ? preview.leftBehind.length === 0
      ? ['**Lost or assumed: nothing**']
      : ['### Lost or assumed']
    : findingsTable('### Lost or assumed', preview.told, level, level.codes),
  leftBehindList(preview),
]

const tail = (preview: Preview, file: string): Section => {
  const { files, digest, plan } = preview.changeSet
  const next = nextCommand(preview, file)
  return [
    `Files: state ${markdownCode(files.state)}, escrow ${markdownCode(files.escrow)}, lock ${markdownCode(files.lock)}, plan ${markdownCode(plan.file)}.`,
    '',
    `Digest: \`${digest}\``,
    ...(next === undefined ? [] : ['', `Next: ${markdownCode(next)}`]),
  ]
}

const ALL: Level = {
  devices: 20,
  bodies: Number.POSITIVE_INFINITY,
  headings: Number.POSITIVE_INFINITY,
  message: 300,
  examples: true,
  codes: 50,
}

/** Each level leaves out more than the one before; nothing touches headline, counts, guards, risks and blocked. */
const LEVELS: readonly (Level & { readonly dropped: string })[] = [
  { ...ALL, dropped: '' },
  { ...ALL, devices: 3, dropped: 'all but 3 devices of each group' },
  { ...ALL, devices: 0, dropped: 'the devices of the groups' },
  ...[60, 30, 15, 8, 4, 2, 0].map((bodies) => ({
    ...ALL,
    devices: 0,
    bodies,
    dropped: `the devices of the groups, and the fields of ${bodies === 0 ? 'all groups' : `those after the first ${bodies}`}`,
  })),
  ...[200, 50, 0].map((headings) => ({
    ...ALL,
    devices: 0,
    bodies: 0,
    headings,
    message: 100,
    examples: false,
    codes: 10,
    dropped: `the fields of all groups, ${headings === 0 ? 'all groups' : `groups after the first ${headings}`}, examples and long messages`,
  })),
]

const compose = (preview: Preview, level: Level & { readonly dropped: string }, file: string): string => {
  const show = markdownCode(`ferry show ${shellWord(file)}`)
  const sections: readonly Section[] = [
    head(preview),
    countsTable(preview),
    guardsTable(preview),
    risksTable(preview),
    irreversibleList(preview),
    handsList(preview),
    gatewayList(preview.changeSet),
    applicationList(preview.changeSet),
    ...blockedSections(preview, level),
    ...toldSections(preview, level),
    groupsSection(preview, level, file),
    level.dropped === '' ? [] : [`Left out for length: ${level.dropped}. All of it: ${show}.`],
    tail(preview, file),
  ]
  return `${sections
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n')}\n`
}

/**
 * The preview for a pull request, in GitHub Markdown of at most 65,000 characters: the summary first, groups folded.
 * Over the budget it drops devices of groups, then groups' bodies, and says so; never what people decide by.
 */
export const renderMarkdown = (changeSet: ChangeSet, options: MarkdownOptions = {}): string => {
  const preview = previewOf(changeSet)
  const budget = options.budget ?? MARKDOWN_BUDGET
  const file = options.file ?? 'CHANGE_SET'
  let text = ''
  for (const level of LEVELS) {
    text = compose(preview, level, file)
    if (text.length <= budget) return text
  }
  const note = '\n\nThe rest is left out for length.\n'
  return text.slice(0, text.lastIndexOf('\n', budget - note.length)) + note
}
