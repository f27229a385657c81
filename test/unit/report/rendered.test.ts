import MarkdownIt from 'markdown-it'
import { describe, expect, it } from 'vitest'
import type { ChangeSet } from '../../../src/domain/change-set.ts'
import { renderMarkdown } from '../../../src/report/markdown.ts'
import {
  abpKept,
  blocked,
  change,
  changeSet,
  HOSTILE_NAMES,
  hostile,
  joiningAnew,
  sessionKept,
  settled,
  times,
  updated,
} from '../../support/change-sets.ts'

/** As a code host shows it: GitHub's tables, and HTML that is let through. */
const markdown = new MarkdownIt({ html: true })

interface Rendered {
  /** Numbers of cells of the rows of each table, its heading first. */
  readonly tables: readonly (readonly number[])[]
  /** Everything that the text brings as HTML. */
  readonly html: readonly string[]
  readonly links: number
}

const rendered = (text: string): Rendered => {
  const tables: number[][] = []
  const html: string[] = []
  let links = 0
  const visit = (tokens: readonly { type: string; content: string; children: unknown }[]): void => {
    for (const token of tokens) {
      if (token.type === 'table_open') tables.push([])
      if (token.type === 'tr_open') tables.at(-1)?.push(0)
      if (token.type === 'th_open' || token.type === 'td_open') {
        const rows = tables.at(-1) ?? []
        rows[rows.length - 1] = (rows.at(-1) ?? 0) + 1
      }
      if (token.type.startsWith('html_')) html.push(token.content)
      if (token.type === 'link_open' || token.type === 'image') links += 1
      if (Array.isArray(token.children)) visit(token.children)
    }
  }
  visit(markdown.parse(text, {}))
  return { tables, html, links }
}

/** The HTML of the report itself. */
const OWN =
  /^(?:<\/?(?:details|summary|b|br|code|sub|div)\s*\/?>|<!-- (?:ferry:[^>]*)?-->|&[a-z#0-9]+;|[^<>])*$/i

const expectWhole = (text: string): void => {
  const { tables, html, links } = rendered(text)
  expect(tables.length).toBeGreaterThan(0)
  for (const rows of tables) expect(new Set(rows).size, JSON.stringify(rows)).toBe(1)
  for (const piece of html) expect(piece).toMatch(OWN)
  expect(links).toBe(0)
}

const FEW = (): ChangeSet => changeSet([joiningAnew(1), sessionKept(2), blocked(3, { code: 'SourceMuted' })])

/** Of all kinds, in a mix that repeats. */
const MANY = (): ChangeSet =>
  changeSet(
    times(20_000, (index) => {
      const number = index + 1
      switch (index % 20) {
        case 0:
          return blocked(number, { code: ['HalfRegistered', 'EuisTaken', 'SourceMuted'][number % 3] ?? '' })
        case 1:
        case 2:
          return abpKept(number)
        case 3:
          return updated(number, [change('identity-server', 'name', 'before', `after ${number}`)])
        case 4:
          return settled(number, 'done')
        default:
          return number % 2 === 0 ? joiningAnew(number) : sessionKept(number)
      }
    }),
  )

describe('Markdown for a comment', () => {
  it('of 3 devices', async () => {
    const text = renderMarkdown(FEW(), { file: 'building-a.changes' })
    expectWhole(text)
    await expect(text).toMatchFileSnapshot('./golden/few.md.txt')
  })

  it('of 20 000 devices, which a comment holds', async () => {
    const text = renderMarkdown(MANY(), { file: 'building-a.changes' })
    expect(text.length).toBeLessThanOrEqual(65_000)
    expectWhole(text)
    expect(renderMarkdown(MANY(), { file: 'building-a.changes' })).toBe(text)
    await expect(text).toMatchFileSnapshot('./golden/many.md.txt')
  })

  it.each(HOSTILE_NAMES)('keeps names in their cells: %j', (name) => {
    expectWhole(
      renderMarkdown(changeSet([hostile(1, name), blocked(2, { code: 'EuisTaken', message: name })])),
    )
  })
})
