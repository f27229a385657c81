import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ROUTES, type Route } from '../../../src/domain/journal.ts'
import { loadPlan } from '../../../src/plan/load-plan.ts'
import { blocksOf, rowsOf, sectionOf, textOf } from './pages.ts'

const text = textOf('docs/devices.md')
const folder = mkdtempSync(join(tmpdir(), 'ferry-devices-'))
afterAll(() => rmSync(folder, { recursive: true }))

const HEAD = `apiVersion: ferry/v1
kind: MigrationPlan
metadata: { name: fragment }
source:
  network: things-stack
  url: https://source.example.com
  application: building-a
  apiKey: { env: SOURCE_API_KEY }
target:
  network: things-stack
  url: https://target.example.com
  application: building-a
  apiKey: { env: TARGET_API_KEY }
`
const ALL = 'devices: { include: [{ all: true }] }\n'

/** Words that are written like codes and are none. */
const NAMES = [
  'DevAddr',
  'DevNonce',
  'DevNonces',
  'JoinNonce',
  'NwkKey',
  'AppKey',
  'RekeyInd',
  'RXTimingSetupReq',
]

/** Words of a text, outside of code, that are written like codes. */
const codesIn = (page: string): ReadonlySet<string> =>
  new Set(
    [...page.replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, '').matchAll(/\b[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]+)+\b/g)]
      .map(([word]) => word)
      .filter((word) => !NAMES.includes(word)),
  )

/** Where the page tells of each way across. */
const SECTION_OF: { readonly [R in Route]: string } = {
  'session-kept': '## OTAA, session kept',
  'joining-anew': '## OTAA, joining anew',
  'joining-triggered': '## OTAA, told to join by a downlink',
  'abp-kept': '## ABP, kept',
  'abp-reset': '## ABP, reset',
  'otaa-reprogrammed': '## New root keys or EUIs',
  'abp-reprogrammed': '## ABP, re-programmed',
  multicast: '## Multicast groups',
}

describe('docs/devices.md', () => {
  it('shows fragments that make a valid plan', async () => {
    const blocks = blocksOf(text, 'yaml')
    expect(blocks.length).toBeGreaterThan(10)
    for (const [index, block] of blocks.entries()) {
      const file = join(folder, `${index}.yaml`)
      writeFileSync(file, HEAD + (block.includes('devices:') ? '' : ALL) + block)
      const { diagnostics } = await loadPlan(file)
      const wrong = diagnostics.filter(
        ({ severity, code }) => severity === 'error' || code === 'WithoutEffect',
      )
      expect(wrong, block).toEqual([])
    }
  })

  it('names codes that the list of codes explains', () => {
    const known = new Set(rowsOf(textOf('docs/errors.md')).map(([code]) => code))
    expect([...codesIn(text)].filter((code) => !known.has(code))).toEqual([])
    expect(codesIn(text).size).toBeGreaterThan(40)
  })

  it.each(ROUTES)('tells of %s what is lost, what a person does, and how long it may be silent', (route) => {
    const section = sectionOf(text, SECTION_OF[route])
    for (const question of [/\*\*(?:What is )?[Ll]ost/, /\*\*(?:What a|A) person/, /\*\*(?:S|s)ilent\b/])
      expect(section).toMatch(question)
  })
})
