import type { Interrupts } from '../../../src/cli/interrupts.ts'
import type { Output, Shell } from '../../../src/cli/shell.ts'
import { PLAIN_STYLE } from '../../../src/report/layout.ts'

interface Recorded extends Output {
  readonly text: () => string
}

/** An output that keeps what it is given. */
const recorded = (isTerminal = false, width = 100): Recorded => {
  let kept = ''
  return {
    isTerminal,
    width,
    style: PLAIN_STYLE,
    write: (text) => {
      kept += text
    },
    text: () => kept,
  }
}

const quietInterrupts: Interrupts = {
  drain: () => undefined,
  draining: () => false,
  signal: new AbortController().signal,
  first: new Promise(() => undefined),
  end: () => undefined,
  forget: () => undefined,
}

export interface FakeShell extends Shell {
  readonly out: Recorded
  readonly err: Recorded
  readonly questions: string[]
}

/** A shell on a terminal, with a person who gives these answers. */
export const terminalShell = (
  env: Shell['env'],
  folder: string,
  answers: readonly (string | undefined)[],
): FakeShell => {
  const left = [...answers]
  const questions: string[] = []
  return {
    env,
    folder,
    out: recorded(),
    err: recorded(true, 80),
    clock: () => new Date('2026-01-05T08:00:00Z'),
    interrupts: quietInterrupts,
    canAsk: true,
    ask: async (question) => {
      questions.push(question)
      return left.shift()
    },
    questions,
    lastly: () => undefined,
  }
}
