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

  it('tells port and size of a downlink, and none of its bytes', () => {
    const payload = 'C0FFEE00'
    const [text] = added({ rejoin: { trigger: 'source-downlink', fPort: 42, payload, confirmed: true } })
    expect(text).toContain('(port 42, 4 bytes, confirmed)')
    expect(text).not.toContain(payload)
  })
})
