import { expect, it } from 'vitest'
import { renderMarkdown } from '../../src/report/markdown.ts'
import { renderDevice } from '../../src/report/show.ts'
import { renderText } from '../../src/report/text.ts'
import { HOSTILE_TEXTS } from '../crash/hostile-text.ts'
import { register } from '../support/fleet.ts'
import { startMigration } from '../support/migration.ts'

const RAW = /(?!\n)\p{Cc}|[\u2028\u2029\u202A-\u202E\u2066-\u2069]/u
/** Tags that the report writes itself. */
const OWN_TAGS = /<\/?(?:details|summary|b|br)>|<!-- (?:ferry:preview fleet )?-->/g

/** Markdown without what code shows as it is: blocks and inline code. */
const markup = (text: string): string =>
  text.replace(/^(`{3,}).*\n[\s\S]*?^\1$/gm, '').replace(/(?<!`)(`+)(?!`).*?[^`]\1(?!`)/g, 'code')

const cells = (row: string): number => row.replace(/\\./g, '').split('|').length

it('names and attributes that a network gives act in no terminal, table or page', async () => {
  const migration = await startMigration()
  try {
    for (const [index, text] of HOSTILE_TEXTS.entries())
      await register(migration.source, {
        id: `meter-${index}`,
        number: index + 1,
        mode: 'otaa',
        name: text,
        attributes: { note: text },
        identity: { description: text },
        fCntUp: 10,
      })
    await migration.writePlan('policy: { persistSession: true }')
    const { changeSet } = await migration.plan()
    expect(changeSet.devices).toHaveLength(HOSTILE_TEXTS.length)
    expect(JSON.stringify(changeSet)).toContain('<script>')
    const markdown = renderMarkdown(changeSet, {})
    const text = renderText(changeSet, { width: 80 })
    const shown = changeSet.devices.map(({ device }) => renderDevice(changeSet, device))
    // the test is of something: the names are in what is shown
    expect(shown.join('')).toContain('=cmd()')
    for (const each of [text, markdown, ...shown]) expect(each).not.toMatch(RAW)
    expect(
      markup(markdown)
        .replace(OWN_TAGS, '')
        .match(/<[a-z/!][^\n]*/gi),
    ).toBeNull()
    const rows = markup(markdown).split('\n')
    for (const [at, row] of rows.entries()) {
      const above = rows[at - 1]
      if (row.startsWith('|') && above?.startsWith('|') === true) expect(cells(row), row).toBe(cells(above))
    }
  } finally {
    await migration.close()
  }
})
