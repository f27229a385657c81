import { html } from 'hono/html'
import { count } from '../words.ts'

/** How many devices had come so far by when. */
export interface Curve {
  readonly name: string
  /** Class of the style that gives its colour. */
  readonly tone: string
  /** Milliseconds since the epoch, ascending: one for each device. */
  readonly times: readonly number[]
}

/** Points of a curve at most: more can not be told apart. */
const POINTS = 240
const WIDTH = 720
const HEIGHT = 220
const LEFT = 56
const RIGHT = 12
const TOP = 12
const BOTTOM = 28

const timeText = (time: number): string => new Date(time).toISOString().slice(0, 16).replace('T', ' ')

/** How many of the ascending times are not after one. */
const countUntil = (times: readonly number[], until: number): number => {
  let low = 0
  let high = times.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((times[middle] ?? 0) <= until) low = middle + 1
    else high = middle
  }
  return low
}

/** Devices over time as a drawing, cumulated; undefined where nothing has happened yet. */
export const chart = (curves: readonly Curve[], now: number) => {
  const starts = curves.flatMap(({ times }) => times[0] ?? [])
  if (starts.length === 0) return undefined
  const from = Math.min(...starts)
  const to = Math.max(now, from + 60_000, ...curves.map(({ times }) => times.at(-1) ?? from))
  const most = Math.max(1, ...curves.map(({ times }) => times.length))
  const x = (time: number): number => LEFT + ((time - from) / (to - from)) * (WIDTH - LEFT - RIGHT)
  const y = (devices: number): number => HEIGHT - BOTTOM - (devices / most) * (HEIGHT - TOP - BOTTOM)
  const path = (times: readonly number[]): string =>
    Array.from({ length: POINTS + 1 }, (_, index) => from + ((to - from) * index) / POINTS)
      .map(
        (time, index) =>
          `${index === 0 ? 'M' : 'L'}${x(time).toFixed(1)} ${y(countUntil(times, time)).toFixed(1)}`,
      )
      .join('')
  const said = curves.map(({ name, times }) => `${count(times.length)} ${name}`).join(', ')
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${`Devices over time, from ${timeText(from)} to ${timeText(to)} UTC: ${said}`}">
<line class="axis" x1="${LEFT}" y1="${y(0)}" x2="${WIDTH - RIGHT}" y2="${y(0)}"/><line class="axis" x1="${LEFT}" y1="${y(most)}" x2="${WIDTH - RIGHT}" y2="${y(most)}"/>
<text x="${LEFT - 8}" y="${y(0) + 4}" text-anchor="end">0</text><text x="${LEFT - 8}" y="${y(most) + 4}" text-anchor="end">${count(most)}</text>
<text x="${LEFT}" y="${HEIGHT - 8}">${timeText(from)}</text><text x="${WIDTH - RIGHT}" y="${HEIGHT - 8}" text-anchor="end">${timeText(to)} UTC</text>
${curves.map(({ tone, times }) => html`<path class="path ${tone}" d="${path(times)}"/>`)}</svg>
<ul class="legend">${curves.map(({ name, tone, times }) => html`<li class="${tone}"><i></i>${name}: ${count(times.length)}</li>`)}</ul>`
}
