import { setMaxListeners } from 'node:events'
import type { End } from './exit-codes.ts'

/** What a command does with Ctrl-C and SIGTERM. */
export interface Interrupts {
  /** First signal: finish what is in flight; second: stop at once. Without this, the first stops at once. */
  drain(): void
  /** Turns true with the first signal. */
  readonly draining: () => boolean
  /** Aborts when work has to stop at once. */
  readonly signal: AbortSignal
  /** Resolves with the first signal. */
  readonly first: Promise<void>
  /** `sigint` or `sigterm` once a signal came. */
  readonly end: () => End | undefined
  /** A signal was the ordinary end of the command. */
  forget(): void
}

interface SignalSource {
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  off(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
}

export interface InterruptOptions {
  readonly process: SignalSource
  readonly tell: (sentence: string) => void
  /** Ends the process where an abort does not. */
  readonly exit: (end: End) => void
  /** Milliseconds that draining may take; Kubernetes kills 30 s after SIGTERM. */
  readonly drainLimit?: number
  /** Milliseconds from the abort to the end of the process. */
  readonly abortLimit?: number
}

const DRAIN_LIMIT = 20_000
const ABORT_LIMIT = 3_000

const DRAINING =
  'finishing what is in flight (at most 20 s); press Ctrl-C again to stop at once. The state stays correct.'
const STOPPING = 'stopping at once. The state stays correct: run the same command again to go on.'

/** Listens to SIGINT and SIGTERM until `dispose`. */
export const listenToSignals = (options: InterruptOptions): Interrupts & { dispose(): void } => {
  const { process, tell } = options
  const controller = new AbortController()
  // Every request in flight listens.
  setMaxListeners(0, controller.signal)
  const timers: NodeJS.Timeout[] = []
  let drains = false
  let end: End | undefined
  let count = 0
  let resolveFirst: () => void = () => undefined
  const first = new Promise<void>((resolve) => {
    resolveFirst = resolve
  })
  const after = (milliseconds: number, action: () => void): void => {
    const timer = setTimeout(action, milliseconds)
    timer.unref()
    timers.push(timer)
  }
  const abort = (): void => {
    if (controller.signal.aborted) return
    controller.abort()
    after(options.abortLimit ?? ABORT_LIMIT, () => options.exit(end ?? 'sigint'))
  }
  const onSignal = (which: End) => (): void => {
    count += 1
    end ??= which
    resolveFirst()
    if (count === 1 && drains) {
      tell(DRAINING)
      after(options.drainLimit ?? DRAIN_LIMIT, abort)
    } else if (count === 1 || (count === 2 && drains)) {
      if (drains) tell(STOPPING)
      abort()
    } else options.exit(end)
  }
  const onInt = onSignal('sigint')
  const onTerm = onSignal('sigterm')
  process.on('SIGINT', onInt)
  process.on('SIGTERM', onTerm)
  return {
    drain: () => {
      drains = true
    },
    draining: () => count > 0,
    signal: controller.signal,
    first,
    end: () => end,
    forget: () => {
      end = undefined
    },
    dispose: () => {
      for (const timer of timers) clearTimeout(timer)
      process.off('SIGINT', onInt)
      process.off('SIGTERM', onTerm)
    },
  }
}
