import { describe, expect, it } from 'vitest'
import type { JournalRecord } from '../../../src/domain/journal.ts'
import { foldState } from '../../../src/engine/progress/fold.ts'
import { nextWave } from '../../../src/engine/run/waves.ts'
import { joiningAnew, settled } from '../../support/change-sets.ts'
import { AT, begin } from './support.ts'

const created = [1, 2, 3, 4, 5].map((number) => joiningAnew(number))
const crossed = (heard: readonly boolean[]) =>
  foldState(
    heard.flatMap((isHeard, index): readonly JournalRecord[] => {
      const device = `canary-${index}`
      const fact: JournalRecord = {
        t: 'fact',
        device,
        fact: { name: 'heard', at: AT, devAddr: '2A000001', lastFCntUp: 0 },
      }
      return [{ ...begin(), device } as JournalRecord, ...(isHeard ? [fact] : [])]
    }),
  )

describe('the next wave', () => {
  it.each([
    ['all at once without canaries', 0, [], 5, false],
    ['the canaries first', 2, [], 2, true],
    ['the canaries that are missing', 3, [true], 2, true],
    ['nobody while a canary is silent', 2, [true, false], 0, true],
    ['the rest when all canaries were heard', 2, [true, true], 5, false],
    ['the rest, whoever came after the canaries', 1, [true, false], 5, false],
    ['all where the fleet is smaller than its canaries', 9, [], 5, true],
  ])('is %s', (_what, canary, heard, devices, gate) => {
    const canaries = heard.map((_, index) => ({ ...settled(90 + index, 'wait'), device: `canary-${index}` }))
    const wave = nextWave([...canaries, ...created], crossed(heard), { canary })
    expect([wave.devices.length, wave.gate !== undefined]).toEqual([devices, gate])
  })

  it.each([
    ['the first by count', [], ['wave 1', 2]],
    ['what is left of it, which waits', [false], ['wave 1', 1]],
    ['the second, once enough of the first were heard', [true, true], ['wave 2', 2]],
    ['the rest, though one of the first is silent', [true, false, true], ['rest', 2]],
  ])('by counts and shares is %s', (_what, heard, expected) => {
    const before = heard.map((_, index) => ({ ...settled(90 + index, 'wait'), device: `canary-${index}` }))
    const rollout = { canary: 0, waves: [{ count: 2 }, { share: 0.5 }], minHeard: 0.5 }
    const fleet = [...before, ...created.slice(0, 5 - heard.length)]
    const { name, devices } = nextWave(fleet, crossed(heard), rollout)
    expect([name, devices.length]).toEqual(expected)
  })

  it('takes those that a wave chooses, and the rest last', () => {
    const fleet = created.map((change, index) => (index % 2 === 0 ? { ...change, wave: 0 } : change))
    const rollout = { canary: 0, waves: [{ match: 'north-*' }] }
    expect(nextWave(fleet, new Map(), rollout)).toMatchObject({ name: 'wave 1', gate: { of: 3, needed: 3 } })
    expect(nextWave(fleet, new Map(), rollout).devices.map(({ wave }) => wave)).toEqual([0, 0, 0])
    expect(nextWave(fleet.slice(1, 2), new Map(), rollout)).toMatchObject({ name: 'rest', devices: [{}] })
  })

  it('does not wait for a canary that was left out since', () => {
    const out = { ...settled(90, 'done'), device: 'canary-0', action: 'excluded' as const }
    expect(nextWave([out, ...created], crossed([false]), { canary: 1 })).toMatchObject({
      gate: { heard: 0, of: 1 },
      devices: [{}],
    })
  })
})
