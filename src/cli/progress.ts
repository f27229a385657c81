import type { Emit } from '../index.ts'
import {
  advanceProgress,
  dueLine,
  type ProgressView,
  startProgress,
  terminalLine,
} from '../report/progress.ts'
import type { Output } from './shell.ts'

export interface Progress {
  readonly emit: Emit
  /** Takes the line away, so that something else can be written. */
  pause(): void
  resume(): void
  stop(): void
}

const REDRAW_MS = 100
const LOOK_MS = 1_000

/** Progress on the error output: one line that is written over on terminals, a line now and then elsewhere. */
export const showProgress = (output: Output, now: () => number = Date.now): Progress => {
  let view: ProgressView = startProgress(now())
  let drawnAt = 0
  let isDrawn = false
  let isShown = true
  const clear = (): void => {
    if (isDrawn) output.write('\r\u001b[K')
    isDrawn = false
  }
  const drawLive = (time: number, force: boolean): void => {
    if (!force && time - drawnAt < REDRAW_MS) return
    drawnAt = time
    output.write(`\r${terminalLine(view, time, output.width)}\u001b[K`)
    isDrawn = true
  }
  const draw = (force: boolean): void => {
    if (!isShown) return
    const time = now()
    if (output.isTerminal) drawLive(time, force)
    else drawDue(time)
  }
  const drawDue = (time: number): void => {
    const due = dueLine(view, time)
    view = due.view
    if (due.line !== undefined) output.write(`${due.line}\n`)
  }
  draw(true)
  const timer = setInterval(() => draw(true), LOOK_MS)
  timer.unref()
  return {
    emit: (event) => {
      view = advanceProgress(view, event, now())
      draw(false)
    },
    pause: () => {
      isShown = false
      clear()
    },
    resume: () => {
      isShown = true
    },
    stop: () => {
      isShown = false
      clearInterval(timer)
      clear()
    },
  }
}
