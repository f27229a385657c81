import { harmless, markdownCode, markdownText } from './escape.ts'
import type { Hand } from './hands.ts'
import { row, type Section } from './markdown-parts.ts'
import type { Preview } from './preview.ts'
import { ITEMS, listed } from './text-risks.ts'
import { cut } from './width.ts'
import { count, devices } from './words.ts'

/** What people decide by: risks, what can't be undone, what needs a hand. No budget leaves any of it out. */

export const risksTable = ({ risks }: Preview): Section => {
  const zero = risks.filter((risk) => risk.devices === 0 && risk.tellsZero)
  const present = risks.filter((risk) => risk.devices > 0)
  return [
    '### Risks',
    '',
    ...(present.length === 0
      ? []
      : [
          row('', 'Devices', 'Risk', 'Undo'),
          '|---|--:|---|---|',
          ...present.map((risk) =>
            row(
              risk.asks ? `**${risk.id}**` : risk.id,
              count(risk.devices),
              `**${markdownText(risk.title)}.** ${markdownText(risk.why)}`,
              `${risk.undo}: ${markdownText(risk.undoBy)}`,
            ),
          ),
          '',
        ]),
    zero.map((risk) => `${markdownText(risk.title)}: 0`).join('; '),
  ]
}

export const irreversibleList = ({ irreversible }: Preview): Section =>
  irreversible.length === 0
    ? ['**Cannot be undone: 0**']
    : [
        '> [!CAUTION]',
        '> **Cannot be undone**',
        ...irreversible.map((item) => `> - **${devices(item.devices)}** ${markdownText(item.text)}.`),
      ]

/** As a task list where there is something to be ticked off. */
const handItems = ({ list }: Hand): Section => {
  if (list === undefined) return []
  const rest = list.items.length - ITEMS
  return [
    ...list.items.slice(0, ITEMS).map((item) => {
      const names = listed(item.devices, (name) => markdownCode(cut(harmless(name), 40)))
      const text = markdownText(cut(harmless(item.text), 300))
      const number = count(item.devices.length)
      return list.kind === 'check'
        ? `  - [ ] ${text} (${number}): ${names}`
        : `  - ${number}: ${text}<br>${names}`
    }),
    ...(rest > 0 ? [`  - and ${count(rest)} more`] : []),
  ]
}

export const handsList = ({ hands }: Preview): Section =>
  hands.length === 0
    ? ['**Needs a hand: nothing**']
    : [
        '### Needs a hand',
        '',
        ...hands.flatMap((hand) => [
          `- **${hand.when}**: ${devices(hand.devices)}, ${markdownText(hand.text)}.`,
          ...handItems(hand),
        ]),
      ]
