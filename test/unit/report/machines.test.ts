import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { describe, expect, it } from 'vitest'
import type { Diagnostic } from '../../../src/domain/diagnostic.ts'
import { MACHINE_FORMATS } from '../../../src/report/machines/formats.ts'
import { renderChecked, renderFound } from '../../../src/report/machines/index.ts'
import { blocked, changeSet, HOSTILE_NAMES, hostile, joiningAnew, times } from '../../support/change-sets.ts'

const VERSION = '1.2.3'

const PLANS = [
  { file: 'plans/right.yaml', findings: [] },
  {
    file: 'plans/wrong one, twice: a.yaml',
    findings: [
      {
        code: 'WrongValue',
        severity: 'error',
        message: '100% of "a", <b> & c: all wrong',
        hint: 'write another',
        subject: { file: 'plans/wrong one, twice: a.yaml', line: 7, column: 3 },
      },
      {
        code: 'ReplayRisk',
        severity: 'warning',
        message: 'a thing to look at',
        subject: { file: 'plans/wrong one, twice: a.yaml', line: 9, column: 1 },
      },
      {
        code: 'ReplayRisk',
        severity: 'warning',
        message: 'a thing to look at',
        subject: { file: 'plans/wrong one, twice: a.yaml', line: 12, column: 1 },
      },
    ],
  },
] as const satisfies readonly { readonly file: string; readonly findings: readonly Diagnostic[] }[]

const FOUND = changeSet([
  joiningAnew(1),
  ...times(5, (index) => blocked(index + 2, { code: 'SourceMuted', message: `muted, number ${index + 2}` })),
  blocked(9, { code: 'HalfRegistered' }),
])

const EXTENSIONS = { github: 'txt', gitlab: 'json', sarif: 'json', junit: 'xml' } as const

describe.each(MACHINE_FORMATS)('as %s', (format) => {
  it('tells what was found in plans, and what in a change set', async () => {
    const file = (what: string): string => `./golden/machines/${what}.${format}.${EXTENSIONS[format]}`
    await expect(renderChecked(PLANS, format, VERSION)).toMatchFileSnapshot(file('checked'))
    await expect(renderFound(FOUND, format, VERSION)).toMatchFileSnapshot(file('found'))
  })

  it.each(HOSTILE_NAMES)('keeps its form whatever a device is called: %j', (name) => {
    const text = renderFound(changeSet([hostile(1, name)]), format, VERSION)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there is none is what is tested
    expect(text).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/)
    switch (format) {
      case 'github':
        // One command, which no name can end or begin.
        expect(text).toMatch(/^::warning file=[^\n]*\n$/)
        break
      case 'gitlab':
        expect(JSON.parse(text)).toHaveLength(1)
        break
      case 'sarif':
        expect(JSON.parse(text)).toMatchObject({ runs: [{ results: [{ ruleId: 'QueuedDownlinksLost' }] }] })
        break
      case 'junit':
        expect(XMLValidator.validate(text)).toBe(true)
        break
    }
  })
})

describe('what a review tool reads', () => {
  it('a finding that only moved to another line has the same fingerprint, and two of one text have two', () => {
    const prints = (plans: Parameters<typeof renderChecked>[0]): readonly string[] =>
      (JSON.parse(renderChecked(plans, 'gitlab', VERSION)) as { fingerprint: string }[]).map(
        ({ fingerprint }) => fingerprint,
      )
    const moved = PLANS.map((plan) => ({
      ...plan,
      findings: plan.findings.map((finding) => ({
        ...finding,
        subject: { ...finding.subject, line: finding.subject.line + 20 },
      })),
    }))
    expect(prints(moved)).toEqual(prints(PLANS))
    expect(new Set(prints(PLANS)).size).toBe(3)
  })

  it('devices with one finding are one annotation, and one test each', () => {
    expect(renderFound(FOUND, 'github', VERSION).trim().split('\n')).toHaveLength(2)
    const parser = new XMLParser({ ignoreAttributes: false })
    const { testsuites } = parser.parse(renderFound(FOUND, 'junit', VERSION)) as {
      readonly testsuites: Readonly<Record<string, string>>
    }
    // One for each device, one for the plan.
    expect([testsuites['@_tests'], testsuites['@_failures']]).toEqual(['8', '6'])
  })

  it('more results than code scanning takes: those that refuse come first', () => {
    const findings = times(
      6_000,
      (index): Diagnostic => ({
        code: index === 5_999 ? 'WrongValue' : 'ReplayRisk',
        severity: index === 5_999 ? 'error' : 'warning',
        message: `number ${index}`,
        subject: { file: 'a.yaml', line: index + 1, column: 1 },
      }),
    )
    const { runs } = JSON.parse(renderChecked([{ file: 'a.yaml', findings }], 'sarif', VERSION)) as {
      readonly runs: readonly { readonly results: readonly { readonly level: string }[] }[]
    }
    expect([runs[0]?.results.length, runs[0]?.results[0]?.level]).toEqual([5_000, 'error'])
  })
})
