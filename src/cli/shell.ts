import type { Style } from '../report/layout.ts'
import type { Interrupts } from './interrupts.ts'

/** One output stream, as a command sees it. */
export interface Output {
  readonly isTerminal: boolean
  /** Columns; 100 where they are not known. */
  readonly width: number
  readonly style: Style
  /** Never throws: a reader that went away ends no work half-way. */
  write(text: string): void
}

/** What a command sees of the process that it runs in. The demo and the tests make their own. */
export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute path of the working folder. */
  readonly folder: string
  /** The result, alone. */
  readonly out: Output
  /** Progress, warnings, errors and questions. */
  readonly err: Output
  readonly clock: () => Date
  readonly interrupts: Interrupts
  /** A person can be asked: input and error output are a terminal. */
  readonly canAsk: boolean
  /** The answer to a question, one line; undefined where the input ended, or the run was interrupted. */
  ask(question: string): Promise<string | undefined>
  /** Says something after everything else, however the run ends. */
  lastly(say: () => void): void
}

/** Options that every command takes. */
interface GlobalOptions {
  readonly json?: boolean
}

/** Runs with the arguments and options that were given, and answers the exit code. */
export type Command<Options extends object = object> = (
  shell: Shell,
  args: readonly string[],
  options: Options & GlobalOptions,
) => Promise<number>
