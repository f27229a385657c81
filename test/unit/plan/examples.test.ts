import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { loadPlan } from '../../../src/plan/load-plan.ts'
import { schemaFields } from '../../../src/plan/schema.ts'

const folder = fileURLToPath(new URL('../../../plans/', import.meta.url))
const plans = readdirSync(folder).filter((name) => name.endsWith('.yaml'))

/** What an example is told on purpose. */
const TOLD: Readonly<Record<string, readonly string[]>> = {
  'minimal.yaml': ['JoinNeeded'],
  'join-anew.yaml': ['JoinNeeded'],
  'keep-sessions.yaml': [],
  'abp-reset.yaml': ['ReplayRisk'],
  'delete-first.yaml': ['DeleteFirst'],
  'reprogram.yaml': ['ReprogramNeeded', 'ReprogramNeeded'],
  'join-by-downlink.yaml': ['JoinNeeded'],
  'full.yaml': ['JoinNeeded', 'ReplayRisk', 'ReprogramNeeded', 'DeleteFirst', 'ReprogramNeeded'],
}

describe('the examples in plans/', () => {
  it('are those that are meant', () => {
    expect(plans).toEqual(expect.arrayContaining(Object.keys(TOLD)))
  })

  it.each(plans)('%s is right, and begins with the line for editors', async (name) => {
    const text = readFileSync(join(folder, name), 'utf8')
    expect(text).toMatch(/^# yaml-language-server: \$schema=\.\.\/schemas\/migration-plan\.v1\.json\n/)
    const result = await loadPlan(join(folder, name))
    expect(result.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
    const told = TOLD[name]
    if (told !== undefined) expect(result.diagnostics.map(({ code }) => code)).toEqual(told)
  })

  /** The plans from a Stack V2 and from files have them. */
  const isOfOtherSource = (field: string): boolean =>
    /^\.source\.(?:accessKey|discovery|defaults|payloadFunctions|path|format|columns)\b/.test(field)

  it('full.yaml has every field', () => {
    const text = readFileSync(join(folder, 'full.yaml'), 'utf8')
    const used = new Set<string>()
    const visit = (value: unknown, path: string): void => {
      if (Array.isArray(value)) for (const item of value) visit(item, `${path}[]`)
      else if (value !== null && typeof value === 'object') {
        for (const [key, item] of Object.entries(value)) {
          used.add(`${path}.${key}`)
          visit(item, `${path}.${key}`)
        }
      }
    }
    visit(parseYaml(text), '')
    const fields = schemaFields().map(({ path }) => `.${path.join('.').replaceAll('.[]', '[]')}`)
    // one way of each: a selector of include serves for the others, and all is in a comment
    const elsewhere = (field: string): boolean =>
      /\.(?:all|idsFile|ids|match|attributes)$/.test(field) && field.startsWith('.devices.')
    const missing = fields.filter(
      (field) => !used.has(field) && !elsewhere(field) && !/apiKey|(?:digestKey|password)\.file/.test(field),
    )
    expect(missing.filter((field) => !isOfOtherSource(field))).toEqual([
      '.target.servers',
      '.target.servers.identity',
      '.target.servers.join',
      '.target.servers.network',
      '.target.servers.application',
      '.target.caFile',
      '.target.insecure',
      // an override has them
      '.policy.rejoin.fPort',
      '.policy.rejoin.payload',
      '.policy.rejoin.confirmed',
      // in comments
      '.gateways.include[].all',
      '.gateways.owner.user',
      // as for a network
      ...['escrow', 'state'].flatMap((place) => [`.${place}.http.caFile`, `.${place}.http.insecure`]),
    ])
  })
})
