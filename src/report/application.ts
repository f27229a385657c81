import type { ApplicationChange } from '../domain/application.ts'
import type { ChangeSet } from '../domain/change-set.ts'
import type { Json } from '../domain/json.ts'
import { harmless, markdownText } from './escape.ts'
import { type Line, line, type Tone } from './layout.ts'

const TONE: Readonly<Record<ApplicationChange['action'], readonly [symbol: string, tone: Tone | undefined]>> =
  {
    write: ['+', 'green'],
    same: ['=', undefined],
    differs: ['!', 'yellow'],
    left: ['!', 'yellow'],
  }

const title = ({ part, id }: ApplicationChange): string =>
  id === undefined ? part : `${part} ${harmless(id)}`

const says = ({ action, names, left }: ApplicationChange): string => {
  switch (action) {
    case 'write':
      return [
        `as on the source${names.length === 0 ? '' : `: ${names.map(harmless).join(', ')}`}`,
        ...(left.length === 0
          ? []
          : [`paused, until somebody enters what is secret there: ${left.map(harmless).join(', ')}`]),
      ].join('; ')
    case 'same':
      return 'there already'
    case 'differs':
      return 'the target has another one, which stays'
    case 'left':
      return `for somebody to make there, with what is secret: ${left.map(harmless).join(', ')}`
  }
}

/** What becomes of what is around the devices; nothing where the plan leaves it alone. */
export const applicationLines = ({ application }: ChangeSet): readonly Line[] =>
  application === undefined
    ? []
    : [
        line(2, ['bold', 'The application']),
        ...application.map((change) => {
          const [symbol, tone] = TONE[change.action]
          const head = `${symbol} ${title(change)}`
          return line(6, '  ', tone === undefined ? head : [tone, head], `: ${says(change)}`)
        }),
      ]

/** The same for a pull request. */
export const applicationList = ({ application }: ChangeSet): readonly string[] =>
  application === undefined
    ? []
    : [
        '### The application',
        '',
        ...application.map((change) => `- **${markdownText(title(change))}**: ${markdownText(says(change))}`),
      ]

export const applicationJson = ({ part, id, action, names, left }: ApplicationChange): Json => ({
  part,
  id: id ?? null,
  action,
  names: [...names],
  left: [...left],
})
