import { describe, expect, it } from 'vitest'
import type { Route } from '../../../src/domain/journal.ts'
import { hearing } from '../../../src/engine/progress/heard.ts'
import { begin, done, HANDED_OVER, knowing } from './support.ts'

const left = (route: Route, devAddr: string | null, lastFCntUp: number) =>
  knowing(begin(route), ...done(...HANDED_OVER), {
    t: 'fact',
    device: 'meter-1',
    fact: { name: 'baseline', devAddr, lastFCntUp, sourceDevAddr: '27000F01' },
  })
const session = (devAddr: string, counter?: number) => ({
  'session.dev_addr': devAddr,
  ...(counter === undefined ? {} : { 'session.last_f_cnt_up': counter }),
})
const joining = { 'pending_session.dev_addr': '2A000001' }

describe('a device is heard', () => {
  it.each([
    [
      'an uplink counter above ours',
      left('session-kept', '27000F01', 100),
      session('27000F01', 101),
      'heard',
    ],
    ['the counter that we wrote', left('session-kept', '27000F01', 100), session('27000F01', 100), 'silent'],
    ['a lower counter', left('session-kept', '27000F01', 100), session('27000F01', 7), 'silent'],
    ['a newer session', left('session-kept', '27000F01', 100), session('2A000001'), 'heard'],
    [
      'a join that is not confirmed',
      left('session-kept', '27000F01', 100),
      { ...session('27000F01', 100), ...joining },
      'joining',
    ],
    ['no session', left('joining-anew', null, 0), {}, 'silent'],
    ['no registration', left('joining-anew', null, 0), undefined, 'silent'],
    ['a join that is not confirmed', left('joining-anew', null, 0), joining, 'joining'],
    ['a session that an uplink promoted', left('joining-anew', null, 0), session('2A000001'), 'heard'],
    [
      "the source's own session, imported by others",
      left('joining-anew', null, 0),
      session('27000F01', 5),
      'silent',
    ],
    ['a counter above ours', left('abp-kept', '27000F01', 100), session('27000F01', 101), 'heard'],
    ['the counter that we wrote', left('abp-reset', '27000F01', 100), session('27000F01', 100), 'silent'],
    ['a counter that started again', left('abp-reset', '27000F01', 100), session('27000F01', 3), 'heard'],
    ['frame 0 after a reset', left('abp-reset', '27000F01', 100), session('27000F01'), 'heard'],
  ])('by %s (%o)', (_what, progress, network, status) => {
    expect(hearing(progress, network).status).toBe(status)
  })

  it('not before it was let go: without a baseline nothing is proof', () => {
    expect(hearing(knowing(begin(), ...done('escrow')), session('2A000001', 5)).status).toBe('silent')
  })
})
