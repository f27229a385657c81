import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { resolveSecret } from '../../../src/plan/resolve-secret.ts'

const KEY = 'NNSXS.ABCDEF.GHIJKL'
const folder = mkdtempSync(join(tmpdir(), 'ferry-secret-'))
afterAll(() => rmSync(folder, { recursive: true }))

const write = (name: string, text: string, mode = 0o600): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

describe('a secret by reference', () => {
  it.each([KEY, `${KEY}\n`, `${KEY}\r\n`])('comes from the environment: %j', async (value) => {
    const result = await resolveSecret({ env: 'KEY' }, { KEY: value })
    expect(result.ok && result.value.reveal()).toBe(KEY)
    expect(JSON.stringify(result)).not.toContain(KEY)
  })

  it('comes from a file', async () => {
    const result = await resolveSecret({ file: write('key', `${KEY}\n`) }, {})
    expect(result.ok && result.value.reveal()).toBe(KEY)
    expect(result.diagnostics).toEqual([])
  })

  it('warns of a file that others may read', async () => {
    const path = write('open', KEY, 0o644)
    const result = await resolveSecret({ file: path }, {})
    expect(result.ok).toBe(true)
    expect(result.diagnostics).toMatchObject([
      { code: 'SecretFileOpen', severity: 'warning', hint: `chmod 600 ${path}` },
    ])
  })

  it.each([
    ['MissingSecret', undefined],
    ['EmptySecret', ''],
    ['EmptySecret', '\n'],
    ['MalformedSecret', `Bearer ${KEY}`],
    ['MalformedSecret', `${KEY} # mine`],
    ['MalformedSecret', `${KEY}\n${KEY}`],
    ['MalformedSecret', `${KEY}é`],
    ['MalformedSecret', 'A'.repeat(20_000)],
  ])('is refused with %s, and never shown', async (code, value) => {
    const result = await resolveSecret({ env: 'SOURCE_API_KEY' }, { SOURCE_API_KEY: value })
    expect(result).toMatchObject({ ok: false, diagnostics: [{ code }] })
    expect(result.diagnostics[0]?.message).toContain('SOURCE_API_KEY')
    expect(JSON.stringify(result)).not.toMatch(/NNSXS|AAAA/)
  })

  it('is not read from prototypes', async () => {
    expect((await resolveSecret({ env: 'constructor' }, {})).diagnostics).toMatchObject([
      { code: 'MissingSecret' },
    ])
  })

  it('is refused where the file is missing or a folder', async () => {
    const missing = await resolveSecret({ file: join(folder, 'nowhere') }, {})
    expect(missing).toMatchObject({ ok: false, diagnostics: [{ code: 'SecretUnreadable' }] })
    expect(missing.diagnostics[0]?.message).toContain('does not exist')
    expect(await resolveSecret({ file: folder }, {})).toMatchObject({
      diagnostics: [{ code: 'SecretUnreadable' }],
    })
  })
})
