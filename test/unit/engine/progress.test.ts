import { describe, expect, it } from 'vitest'
import type { JournalRecord } from '../../../src/domain/journal.ts'
import { foldState } from '../../../src/engine/progress/fold.ts'
import {
  isLetGo,
  isOurs,
  isSourceEnding,
  rootKeysReplaced,
  stepDone,
} from '../../../src/engine/progress/standing.ts'
import { AT, begin, done, HANDED_OVER, IMPORT, intended, knowing } from './support.ts'

const fact = (value: Extract<JournalRecord, { t: 'fact' }>['fact']): JournalRecord => ({
  t: 'fact',
  device: 'meter-1',
  fact: value,
})
const undone: JournalRecord = { t: 'undone', device: 'meter-1', at: AT }

describe('what the state knows of a device', () => {
  it('an intent without outcome is unknown, and counts as ours, let go, replaced or deleted', () => {
    expect(isOurs(knowing(begin(), intended('create-identity')))).toBe(true)
    expect(isLetGo(knowing(begin(), ...done(...IMPORT), intended('unmute-target')))).toBe(true)
    expect(rootKeysReplaced(knowing(begin(), intended('prevent-rejoin')))).toBe(true)
    expect(isSourceEnding(knowing(begin(), intended('delete-application')))).toBe(true)
    expect(stepDone(knowing(begin(), intended('set-network')), 'set-network')).toBe(false)
  })

  it('a step that was refused is not done, and one that is retried is unknown again', () => {
    const refused: JournalRecord = {
      t: 'outcome',
      device: 'meter-1',
      step: 'set-network',
      at: AT,
      status: 'failed',
    }
    expect(knowing(begin(), intended('set-network'), refused).steps['set-network']).toBe('failed')
    expect(
      knowing(begin(), intended('set-network'), refused, intended('set-network')).steps['set-network'],
    ).toBe('unknown')
  })

  it('a write that worked stays ours when a second one of the same step is refused', () => {
    const refused: JournalRecord = {
      t: 'outcome',
      device: 'meter-1',
      step: 'create-identity',
      at: AT,
      status: 'failed',
    }
    const progress = knowing(begin(), ...done('create-identity'), intended('create-identity'), refused)
    expect([isOurs(progress), progress.registeredBefore]).toEqual([true, true])
    expect(isOurs(knowing(begin(), intended('create-identity'), refused))).toBe(false)
  })

  it('what was taken back is forgotten, its target id remembered', () => {
    const progress = knowing(begin(), ...done(...IMPORT), undone)
    expect(progress.steps).toEqual({})
    expect(progress.escrow).toEqual({})
    expect([isOurs(progress), isLetGo(progress), progress.route]).toEqual([false, false, undefined])
    expect(progress.target).toBe('meter-1')
  })

  it('a new beginning forgets steps and what was heard, and keeps what was done to both networks', () => {
    const progress = knowing(
      begin(),
      ...done(...HANDED_OVER),
      fact({ name: 'source-scheduling', value: null }),
      fact({ name: 'heard', at: AT, devAddr: '27000F01', lastFCntUp: 7 }),
      begin('joining-anew'),
    )
    expect(progress).toMatchObject({ steps: {}, escrow: {}, route: 'joining-anew', sourceScheduling: null })
    expect(progress.heard).toBeUndefined()
    expect(isOurs(progress)).toBe(true)
  })

  it('absent, false and true of a source that was muted are three different things', () => {
    for (const value of [null, false, true])
      expect(knowing(begin(), fact({ name: 'source-scheduling', value })).sourceScheduling).toBe(value)
    const started = knowing(
      begin(),
      fact({ name: 'source-scheduling', value: null }),
      ...done('stop-source'),
      intended('start-source'),
      ...done('start-source'),
      fact({ name: 'source-started' }),
    )
    expect(started).not.toHaveProperty('sourceScheduling')
    expect(stepDone(started, 'stop-source')).toBe(false)
  })

  it('devices are kept apart, and runs name none', () => {
    const run: JournalRecord = { t: 'close', run: 'one', at: AT, result: 'applied' }
    const state = foldState([
      begin(),
      { ...begin(), device: 'meter-2' } as JournalRecord,
      run,
      ...done('escrow'),
    ])
    expect([...state.keys()]).toEqual(['meter-1', 'meter-2'])
    expect(state.get('meter-2')?.steps).toEqual({})
  })
})
