import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ChangeWindow, isOpen, opensAt } from '../../../src/domain/change-window.ts'
import { parseWindow } from '../../../src/plan/change-window.ts'

const windowOf = (text: string): ChangeWindow => {
  const parsed = parseWindow(text)
  if ('hint' in parsed) throw new Error(parsed.message)
  return parsed
}

/** 2026-11-30 is a Monday. */
const NIGHTS = windowOf('Mon-Fri 22:00-05:00 Europe/Amsterdam')

describe('a change window', () => {
  it.each([
    ['2026-11-30T20:59:59Z', false, 'a second before it opens on Monday'],
    ['2026-11-30T21:00:00Z', true, 'as it opens on Monday, an hour after UTC'],
    ['2026-12-01T03:59:59Z', true, 'in the night to Tuesday'],
    ['2026-12-01T04:00:00Z', false, 'as it closes'],
    ['2026-12-05T03:30:00Z', true, 'in the night from Friday to Saturday'],
    ['2026-12-05T21:30:00Z', false, 'on Saturday'],
    ['2026-11-30T03:30:00Z', false, 'in the night from Sunday'],
    ['2026-07-06T20:00:00Z', true, 'in summer, two hours after UTC'],
  ])('at %s is %s: %s', (at, open) => {
    expect(isOpen(NIGHTS, new Date(at))).toBe(open)
  })

  it.each([
    ['2026-11-30T12:00:30Z', '2026-11-30T21:00:00.000Z'],
    ['2026-12-05T12:00:00Z', '2026-12-07T21:00:00.000Z'],
    ['2026-11-30T22:00:00Z', '2026-11-30T22:00:00.000Z'],
  ])('after %s opens at %s', (at, opens) => {
    expect(opensAt(NIGHTS, new Date(at)).toISOString()).toBe(opens)
  })

  it('opens on a night in which clocks are put forward over its beginning', () => {
    // On 2026-03-29 there is no 02:30 in Amsterdam.
    const window = windowOf('Sun 02:30-02:45 Europe/Amsterdam')
    expect(opensAt(window, new Date('2026-03-28T12:00:00Z')).toISOString()).toBe('2026-04-05T00:30:00.000Z')
  })

  it('opens in the minute that it names, and not in the one before, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.record({
          days: fc.subarray([0, 1, 2, 3, 4, 5, 6], { minLength: 1 }),
          from: fc.integer({ min: 0, max: 1439 }),
          to: fc.integer({ min: 0, max: 1440 }),
          zone: fc.constantFrom('UTC', 'Europe/Amsterdam', 'America/New_York', 'Asia/Kolkata'),
        }),
        fc.date({ min: new Date('2026-01-01'), max: new Date('2027-01-01'), noInvalidDate: true }),
        (given, at) => {
          const window = { text: 'made up', ...given }
          const opens = opensAt(window, at)
          expect(isOpen(window, opens)).toBe(true)
          expect(opens.getTime()).toBeGreaterThanOrEqual(at.getTime())
          const before = new Date(opens.getTime() - 60_000)
          if (before >= at) expect(isOpen(window, before)).toBe(false)
        },
      ),
      { numRuns: 30 },
    )
  })

  it.each([
    ['22:00-05:00', { days: [0, 1, 2, 3, 4, 5, 6], from: 1320, to: 300, zone: 'UTC' }],
    ['Sat,Sun 00:00-24:00', { days: [0, 6], from: 0, to: 1440 }],
    ['Fri-Mon 06:30-07:00 Asia/Kolkata', { days: [0, 1, 5, 6], from: 390, to: 420, zone: 'Asia/Kolkata' }],
  ])('is read from %s', (text, window) => {
    expect(parseWindow(text)).toMatchObject(window)
  })

  it.each([
    '',
    'at night',
    'Mon-Fri',
    'Mun 22:00-05:00',
    '25:00-05:00',
    '22:60-23:00',
    '22:00-05:00 Mars/Olympus',
    'Mon-Tue-Wed 01:00-02:00',
    '01:00-24:01',
  ])('is not read from "%s"', (text) => {
    expect(parseWindow(text)).toHaveProperty('hint')
  })
})
