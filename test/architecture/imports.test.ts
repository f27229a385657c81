import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

/**
 * Imports point inward (ARCHITECTURE.md draws it): which folders of `src` a folder may import besides itself.
 * The simulator knows nobody, and nobody but the command line knows it: a shared mapper would hide shared mistakes.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  plan: ['domain'],
  engine: ['domain'],
  state: ['domain'],
  escrow: ['domain', 'state'],
  http: ['domain'],
  networks: ['domain', 'http'],
  remote: ['domain', 'http', 'state', 'escrow'],
  report: ['domain'],
  simulator: [],
  operations: ['domain', 'plan', 'engine', 'state', 'escrow', 'remote', 'networks', 'http'],
  'index.ts': ['domain', 'plan', 'engine', 'operations', 'state', 'escrow', 'report'],
  cli: ['index.ts', 'report', 'simulator', 'domain'],
}

const src = resolve(import.meta.dirname, '../../src')

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

/** Relative imports and re-exports, static and dynamic, of a source text. */
const importsOf = (text: string): readonly string[] =>
  [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map((match) => match[1] ?? '')

const folderOf = (file: string): string => file.split('/')[0] ?? ''

describe('imports', () => {
  it('finds every folder of src in the table', () => {
    expect([...new Set(files.map(folderOf))].sort()).toEqual(Object.keys(MAY_IMPORT).sort())
  })

  it.each(Object.keys(MAY_IMPORT))('of %s point inward', (folder) => {
    const wrong: string[] = []
    for (const file of files.filter((name) => folderOf(name) === folder)) {
      for (const specifier of importsOf(readFileSync(join(src, file), 'utf8'))) {
        const to = folderOf(relative(src, resolve(src, dirname(file), specifier)))
        if (to !== folder && !(MAY_IMPORT[folder] ?? []).includes(to))
          wrong.push(`${file} imports ${specifier}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('keeps process and console in cli', () => {
    const wrong = files.filter((file) => {
      if (folderOf(file) === 'cli') return false
      const text = readFileSync(join(src, file), 'utf8')
      // The simulator ends a process on request: that is one of its faults.
      return (
        /\bconsole\./.test(text) || (/\bprocess\.(?!kill\b)/.test(text) && !/^\s*\*.*\bprocess\./m.test(text))
      )
    })
    expect(wrong).toEqual([])
  })
})
