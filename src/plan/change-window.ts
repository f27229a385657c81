import { type ChangeWindow, DAYS } from '../domain/change-window.ts'

const NAMES = DAYS.map((day) => day.toLowerCase())
const ALL = [0, 1, 2, 3, 4, 5, 6]
const FORM = /^(?:([A-Za-z,-]+) )?(\d\d):(\d\d)-(\d\d):(\d\d)(?: ([A-Za-z0-9_+/-]+))?$/

/** `Mon-Fri`, `Sat,Sun` or `Mon-Wed,Fri`; undefined for anything else. A range may pass the end of the week. */
const daysIn = (text: string): readonly number[] | undefined => {
  const days = new Set<number>()
  for (const part of text.toLowerCase().split(',')) {
    const ends = part.split('-').map((day) => NAMES.indexOf(day))
    const [first = -1, last = first] = ends
    if (ends.length > 2 || first < 0 || last < 0) return undefined
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day)
      if (day === last) break
    }
  }
  return [...days].sort()
}

const minutesOf = (hours: string, minutes: string): number => Number(hours) * 60 + Number(minutes)

const isZone = (zone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/** Why a text is no change window. */
export interface WindowFault {
  readonly message: string
  readonly hint: string
}

/** Days (all where left out), begin and end, time zone (UTC where left out). */
export const parseWindow = (text: string): ChangeWindow | WindowFault => {
  const [, dayText, h1 = '', m1 = '', h2 = '', m2 = '', zone = 'UTC'] = FORM.exec(text) ?? []
  const hint = 'write days, times and a time zone, such as "Mon-Fri 22:00-05:00 Europe/Amsterdam"'
  if (h1 === '') return { message: 'is no change window', hint }
  const days = dayText === undefined ? ALL : daysIn(dayText)
  if (days === undefined)
    return { message: 'has days that are none', hint: 'write Mon, Tue, Wed, Thu, Fri, Sat or Sun' }
  const [from, to] = [minutesOf(h1, m1), minutesOf(h2, m2)]
  if (from >= 24 * 60 || to > 24 * 60 || Number(m1) > 59 || Number(m2) > 59)
    return { message: 'has a time that is none', hint: 'write 00:00 to 23:59' }
  if (!isZone(zone))
    return { message: 'has a time zone that is none', hint: 'write one such as Europe/Amsterdam, or UTC' }
  return { text, days, from, to, zone }
}
