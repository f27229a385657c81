import { describe, expect, it } from 'vitest'
import type { Policy } from '../../../src/domain/migration-plan.ts'
import { policyWords } from '../../../src/report/policy-words.ts'
import { DEFAULT_POLICY } from '../../support/policy.ts'

const words = (policy: Partial<Policy>): readonly string[] =>
  policyWords({
    policy: { ...DEFAULT_POLICY, ...policy },
    source: { network: 'things-stack', host: 'source.example', application: 'a' },
    rollout: { maxConcurrency: 1, canary: 0, maxFailures: { count: 1 } },
  })

const added = (policy: Partial<Policy>): readonly string[] => {
  const usual = words({})
  return words(policy).filter((each) => !usual.includes(each))
}

describe('the policy in words', () => {
  it('tells what few plans ask for only where it is asked for', () => {
    expect(words({})).toHaveLength(7)
    const special: readonly Partial<Policy>[] = [
      { rejoin: { trigger: 'manual' } },
      { rejoin: { trigger: 'source-downlink', fPort: 1, payload: '', confirmed: false } },
      { rootKeys: 'generate' },
      { abp: 'reprogram' },
      { abp: 'to-otaa' },
      { queuedDownlinks: 'copy' },
      { queuedDownlinks: 'wait-empty' },
      { mutedSource: 'carry' },
      { mutedSource: 'unmute' },
      { downlinkCounterMargin: 0 },
      { adopt: 'partial' },
    ]
    const all = special.map(added)
    for (const each of all) expect(each).toHaveLength(1)
    expect(new Set(all.flat()).size).toBe(special.length)
  })

  it('does not say of a source that is deleted first that it is stopped and kept', () => {
    const first = words({ handover: 'delete-first', preventRejoin: 'none', deleteSource: 'after-heard' })
    expect(first).toEqual(words({ handover: 'delete-first' }))
    expect(first.join()).not.toMatch(/stopped|root keys/)
  })

  it('tells waves, what lets the next begin, and the change window', () => {
    const waves = [
      { count: 50 },
      { share: 0.2 },
      { match: 'floor-1-*' },
      { attributes: { building: 'north' } },
    ]
    const text = (rollout: object): string =>
      policyWords({
        policy: DEFAULT_POLICY,
        source: { network: 'things-stack', host: 'source.example', application: 'a' },
        rollout: { maxConcurrency: 1, canary: 5, maxFailures: { count: 1 }, ...rollout },
      }).join('; ')
    expect(text({ waves, minHeard: 0.95 })).toContain(
      'waves: the first 5, then 50, then 20 %, then those like floor-1-*, then those with building north, then the rest; ' +
        'each must be heard by 95 % before the next',
    )
    expect(text({})).toContain('the first 5 must be heard before the rest')
    const window = { text: 'Sat 01:00-05:00 UTC', days: [6], from: 60, to: 300, zone: 'UTC' }
    expect(text({ window })).toContain('something new begins Sat 01:00-05:00 UTC alone')
  })

  it('tells port and size of a downlink, and none of its bytes', () => {
    const payload = 'C0FFEE00'
    const [text] = added({ rejoin: { trigger: 'source-downlink', fPort: 42, payload, confirmed: true } })
    expect(text).toContain('(port 42, 4 bytes, confirmed)')
    expect(text).not.toContain(payload)
  })
})
