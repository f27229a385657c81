import { remembered } from './remembered.ts'

/** When something new may begin, by the clock of a place. */
export interface ChangeWindow {
  /** As the plan writes it, such as `Mon-Fri 22:00-05:00 Europe/Amsterdam`. */
  readonly text: string
  /** Days on which it opens; 0 for Sunday. */
  readonly days: readonly number[]
  /** Minutes from midnight; one that ends no later than it begins ends on the next day. */
  readonly from: number
  readonly to: number
  /** Of the IANA time zone database. */
  readonly zone: string
}

/** In the order of their numbers. */
export const DAYS: readonly string[] = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

const clockOf = remembered(
  (zone: string) =>
    new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    }),
  50,
)

/** Weekday (0 for Sunday) and minutes from midnight on the clocks of a zone. */
const localTime = (zone: string, at: Date): { readonly day: number; readonly minute: number } => {
  const parts = new Map(
    clockOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  )
  return {
    day: DAYS.indexOf(parts.get('weekday') ?? ''),
    minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
  }
}

export const isOpen = ({ days, from, to, zone }: ChangeWindow, at: Date): boolean => {
  const { day, minute } = localTime(zone, at)
  if (from < to) return days.includes(day) && minute >= from && minute < to
  return (days.includes(day) && minute >= from) || (days.includes((day + 6) % 7) && minute < to)
}

const MINUTE = 60_000
/** A week, and a day for a clock that is put forward over the opening. */
const LONGEST = 8 * 24 * 60

/** The first minute from `at` on in which it is open. Clocks are asked minute by minute, so a change of theirs counts. */
export const opensAt = (window: ChangeWindow, at: Date): Date => {
  const first = Math.ceil(at.getTime() / MINUTE) * MINUTE
  for (let minutes = 0; minutes < LONGEST; minutes += 1) {
    const next = new Date(first + minutes * MINUTE)
    if (isOpen(window, next)) return next
  }
  throw new Error(`the window ${window.text} never opens`)
}
