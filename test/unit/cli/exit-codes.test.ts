import { describe, expect, test } from 'vitest'
import { appliedEnd, appliedReport, silentDevices, tellSilent } from '../../../src/cli/applied.ts'
import { EXIT_CODES, EXIT_MEANINGS, exitCodeOf } from '../../../src/cli/exit-codes.ts'
import { endOf } from '../../../src/cli/failure.ts'
import { type ApplyCounts, FerryError, NetworkError, type Planned } from '../../../src/index.ts'
import { renderApplyResult } from '../../../src/report/apply-result.ts'
import { terminalShell } from './support.ts'

type DeviceProgress = Parameters<Planned['state']['progress']['set']>[1]

describe('exit codes', () => {
  test('are these, for ever', () => {
    expect(EXIT_CODES).toEqual({
      done: 0,
      unexpected: 1,
      changes: 2,
      'plan-invalid': 3,
      blocked: 4,
      stale: 5,
      locked: 6,
      partial: 7,
      differences: 8,
      credentials: 9,
      usage: 64,
      'state-not-written': 74,
      sigint: 130,
      sigterm: 143,
    })
  })

  test('are all told in the help, once', () => {
    expect(EXIT_MEANINGS.map(([end]) => end).sort()).toEqual(Object.keys(EXIT_CODES).sort())
  })

  test('of a run of which several are true: the first in this order', () => {
    const order = ['state-not-written', 'sigint', 'locked', 'stale', 'credentials', 'plan-invalid'] as const
    const rest = ['blocked', 'partial', 'differences', 'changes', 'done'] as const
    const all = [...order, ...rest]
    for (const [index, end] of all.entries())
      expect(exitCodeOf(...all.slice(index).reverse())).toBe(EXIT_CODES[end])
    expect(exitCodeOf()).toBe(0)
  })

  test('of errors', () => {
    const network = (code: string, status?: number): NetworkError =>
      new NetworkError(code, 'says', {
        effect: 'none',
        request: 'GET /',
        ...(status === undefined ? {} : { status }),
      })
    expect(endOf(new FerryError('locked', 'Locked', 'it is'))).toBe('locked')
    expect(endOf(network('MissingRight', 403))).toBe('credentials')
    expect(endOf(network('CertificateRefused'))).toBe('plan-invalid')
    expect(endOf(network('ServerError', 500))).toBe('unexpected')
    expect(endOf(new TypeError('no'))).toBe('unexpected')
  })
})

const NONE: ApplyCounts = {
  migrated: 0,
  waiting: 0,
  updated: 0,
  adopted: 0,
  failed: 0,
  deferred: 0,
  stale: 0,
  blocked: 0,
  skipped: 0,
}

describe('the end of an apply', () => {
  test.each([
    [{ migrated: 3, adopted: 1, updated: 1 }, 'done'],
    [{ migrated: 3, blocked: 1 }, 'blocked'],
    [{ waiting: 1, blocked: 1 }, 'partial'],
    [{ failed: 1 }, 'partial'],
    [{ deferred: 1 }, 'partial'],
    [{ stale: 1 }, 'partial'],
    [{ skipped: 1 }, 'partial'],
    [{}, 'done'],
  ])('of %j is %s', (counts, end) => {
    expect(appliedEnd({ ...NONE, ...counts })).toBe(end)
  })

  test('a device that the run did not come to is told as one that is left for later', () => {
    const report = appliedReport(
      {
        counts: { ...NONE, migrated: 1, skipped: 1 },
        devices: [
          { device: 'a-1', target: 'a-1', status: 'migrated' },
          { device: 'a-2', target: 'a-2', status: 'skipped' },
        ],
        stopped: { by: 'interrupted' },
      },
      { file: 'site.changes', plan: 'plan.yaml' },
      new Map(),
    )
    expect(report).toMatchObject({
      counts: { migrated: 1, skipped: 0, deferred: 1 },
      left: [{ device: 'a-2', status: 'deferred' }],
      stopped: 'interrupted',
    })
    expect(renderApplyResult(report)).toContain('ferry apply site.changes ')
  })

  test('while devices only wait to be heard, what comes next is to wait', () => {
    const waiting = {
      counts: { ...NONE, waiting: 1 },
      devices: [{ device: 'a-1', target: 'a-1', status: 'waiting' as const }],
    }
    const files = { file: 'site.changes', plan: 'plan.yaml' }
    const known = { device: 'a-1', heard: { at: '2026-01-05T08:00:00Z' } } as unknown as DeviceProgress
    const next = (progress: ReadonlyMap<string, DeviceProgress>): string =>
      renderApplyResult(appliedReport(waiting, files, progress))
    expect(next(new Map())).toContain('next    ferry verify plan.yaml --wait 2h ')
    expect(next(new Map([['a-1', known]]))).toContain('next    ferry apply site.changes ')
  })

  test('devices that no network answers are counted, and told last', () => {
    const device = (over: object): DeviceProgress => over as DeviceProgress
    const progress = new Map([
      ['a-1', device({ sourceScheduling: true })],
      ['a-2', device({ sourceScheduling: null })],
      ['a-3', device({ sourceScheduling: true, unmutedAt: '2026-01-05T08:00:00Z' })],
      ['a-4', device({})],
    ])
    expect(silentDevices(progress)).toBe(2)
    const { err } = terminalShell({}, '.', [])
    tellSilent(err, 0, 'site.changes')
    expect(err.text()).toBe('')
    tellSilent(err, 2, 'site.changes')
    expect(err.text().replace(/\n +/g, ' ')).toBe(
      'error: 2 devices are answered by no network until you run it again: ferry apply site.changes\n',
    )
    expect(
      err
        .text()
        .split('\n')
        .every((line) => line.length <= 80),
    ).toBe(true)
  })
})
