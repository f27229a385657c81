import { describe, expect, it } from 'vitest'
import type { JournalRecord } from '../../../src/domain/journal.ts'
import { foldState } from '../../../src/engine/progress/progress.ts'
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
    const wave = nextWave([...canaries, ...created], crossed(heard), canary)
    expect([wave.devices.length, wave.gate]).toEqual([devices, gate])
  })

  it('does not wait for a canary that was left out since', () => {
    const out = { ...settled(90, 'done'), device: 'canary-0', action: 'excluded' as const }
    expect(nextWave([out, ...created], crossed([false]), 1)).toMatchObject({ gate: true, devices: [{}] })
  })
})
