import { describe, expect, test } from 'vitest'
import type { History } from '../../../src/domain/history.ts'
import type { JournalRecord } from '../../../src/domain/journal.ts'
import { foldState } from '../../../src/engine/progress/fold.ts'
import { takeHistory } from '../../../src/engine/progress/history.ts'

const historyOf = (records: readonly JournalRecord[]): History => {
  const history = takeHistory()
  for (const record of records) history.take(record)
  return history.historyOf(foldState(records))
}

const at = (minute: number): string => `2026-03-02T22:${String(minute).padStart(2, '0')}:00.000Z`
const digest = `sha256:${'0'.repeat(64)}` as never
const open = (run: string, command: string, minute: number): JournalRecord => ({
  t: 'open',
  run,
  command,
  at: at(minute),
  plan: digest,
  changeSet: digest,
  tool: 'test',
})
const begin = (device: string, minute: number, more: object = {}): JournalRecord => ({
  t: 'begin',
  device,
  at: at(minute),
  target: device,
  route: 'session-kept',
  ...more,
})
const served = (device: string, minute: number): JournalRecord => ({
  t: 'outcome',
  device,
  step: 'unmute-target',
  at: at(minute),
  status: 'done',
})
const heard = (device: string, minute: number): JournalRecord => ({
  t: 'fact',
  device,
  fact: { name: 'heard', at: at(minute), devAddr: '27000001', lastFCntUp: 7 },
})
const failed = { code: 'ServerError', message: 'the target answered 500' }

describe('the history of a state', () => {
  test('of a plan that was never applied is empty', () => {
    expect(historyOf([])).toEqual({ runs: [], waves: [], begun: [], served: [], heard: [] })
  })

  test('tells what each run did, and which did not end', () => {
    const { runs, waves, begun } = historyOf([
      open('one', 'apply', 0),
      begin('a', 1),
      begin('a', 2, { because: 'the device joined anew' }),
      served('a', 3),
      begin('b', 3),
      { t: 'outcome', device: 'b', step: 'set-network', at: at(4), status: 'failed', error: failed },
      { t: 'undone', device: 'b', at: at(5), error: failed },
      { t: 'close', run: 'one', at: at(6), result: 'partial' },
      open('two', 'verify', 10),
      heard('a', 11),
    ])
    const none = { begun: 0, served: 0, heard: 0, failed: 0, undone: 0 }
    const first = { ...none, begun: 2, served: 1, failed: 1, undone: 1 }
    expect(runs).toEqual([
      { run: 'one', command: 'apply', began: at(0), ended: at(6), result: 'partial', ...first },
      { run: 'two', command: 'verify', began: at(10), ...none, heard: 1 },
    ])
    expect(waves).toEqual([])
    expect(begun).toEqual([1, 3].map((minute) => Date.parse(at(minute))))
  })

  test('counts waves in the order in which they began, a device where it last crossed', () => {
    const { waves, served: times } = historyOf([
      open('one', 'apply', 0),
      begin('z', 1, { wave: 'canary' }),
      served('z', 2),
      heard('z', 3),
      begin('a', 4, { wave: 'wave 1' }),
      begin('a', 5, { because: 'the device joined anew' }),
      served('a', 6),
      begin('b', 5, { wave: 'wave 1' }),
      { t: 'undone', device: 'b', at: at(6) },
    ])
    expect(waves).toEqual([
      { wave: 'canary', devices: 1, served: 1, heard: 1, began: at(1) },
      { wave: 'wave 1', devices: 1, served: 1, heard: 0, began: at(4) },
    ])
    expect(times).toEqual([2, 6].map((minute) => Date.parse(at(minute))))
  })
})
