import { describe, expect, it } from 'vitest'
import type { Route } from '../../../src/domain/journal.ts'
import { sendInterval } from '../../../src/engine/device/send-interval.ts'
import { hearing, isOverdue, silentAfter } from '../../../src/engine/progress/heard.ts'
import { begin, device, done, HANDED_OVER, knowing, NS } from './support.ts'

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

describe('a device is silent', () => {
  const HOUR = 3_600_000
  const knows = (interval?: number) =>
    knowing(begin('session-kept'), ...done(...HANDED_OVER), {
      t: 'fact',
      device: 'meter-1',
      fact: {
        name: 'baseline',
        devAddr: '27000F01',
        lastFCntUp: 100,
        sourceDevAddr: '27000F01',
        ...(interval === undefined ? {} : { interval }),
      },
    })

  it.each([
    ['after heardWithin', knows(), { heardWithin: HOUR }, 1],
    ['no later, where it sends more often', knows(HOUR / 4), { heardWithin: HOUR }, 1],
    ['after twice its longest silence on the source', knows(24 * HOUR), { heardWithin: HOUR }, 48],
    [
      'after twice what the plan says, whatever the source tells',
      knows(24 * HOUR),
      { heardWithin: HOUR, expectedInterval: 6 * HOUR },
      12,
    ],
  ])('%s', (_what, progress, patience, hours) => {
    expect(silentAfter(progress, patience)).toBe(hours * HOUR)
    const letGo = new Date(Date.parse(progress.unmutedAt ?? ''))
    const at = (shift: number) => new Date(letGo.getTime() + hours * HOUR + shift)
    expect([isOverdue(progress, patience, at(0)), isOverdue(progress, patience, at(1))]).toEqual([
      false,
      true,
    ])
  })

  it.each([
    [[], undefined],
    [['2026-01-01T00:00:00Z'], undefined],
    [['2026-01-01T00:00:00Z', '2026-01-01T00:00:02Z', '2026-01-02T00:00:02Z'], 24 * HOUR],
    [['2026-01-02T00:00:00Z', 'never', '2026-01-01T00:00:00Z'], 24 * HOUR],
  ])('by the longest gap of %j', (times, interval) => {
    const recent_uplinks = times.map((received_at) => ({ received_at }))
    expect(sendInterval(device({ [NS]: { mac_state: { recent_uplinks } } }))).toBe(interval)
    expect(sendInterval(device({ [NS]: { mac_state: null } }))).toBeUndefined()
  })
})

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
