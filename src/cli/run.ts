import process from 'node:process'
import { line } from '../report/layout.ts'
import { askOn } from './ask.ts'
import { clockFrom } from './clock.ts'
import { writeDebug } from './debug.ts'
import { EXIT_CODES, exitCodeOf } from './exit-codes.ts'
import { endOf, tellFailure } from './failure.ts'
import { type Interrupts, listenToSignals } from './interrupts.ts'
import type { ProcessOutput } from './output.ts'
import { planNameOf } from './plan-file.ts'
import type { Asked } from './program.ts'
import type { Output, Shell } from './shell.ts'
import { foldedFor, tell } from './tell.ts'

export interface RunOptions {
  readonly out: ProcessOutput
  readonly err: ProcessOutput
  readonly debugFile: string | undefined
  /** As it was given, for the debug file. */
  readonly argv: readonly string[]
}

/** Runs a command in this process and answers its exit code. Nothing is thrown. */
export const runAsked = async (asked: Asked, options: RunOptions): Promise<number> => {
  const { out, err } = options
  const interrupts = listenToSignals({
    process,
    tell: (sentence) =>
      err.write(`${err.isTerminal ? '\r\u001b[K' : ''}${foldedFor(err, line(2, sentence))}`),
    exit: (end) => {
      sayLast()
      process.exit(EXIT_CODES[end])
    },
  })
  const last: (() => void)[] = []
  const sayLast = (): void => {
    for (const say of last.splice(0)) say()
  }
  const shell = processShell(out, err, interrupts, (say) => last.push(say))
  try {
    return await runCommand(shell, asked, options)
  } finally {
    sayLast()
    interrupts.dispose()
  }
}

const processShell = (out: Output, err: Output, interrupts: Interrupts, lastly: Shell['lastly']): Shell => ({
  env: process.env,
  folder: process.cwd(),
  out,
  err,
  clock: clockFrom(process.env),
  interrupts,
  canAsk: process.stdin.isTTY === true && err.isTerminal,
  ask: (question) => askOn(process.stdin, err.write, question, interrupts.first),
  lastly,
})

/** A command with its failures told on the error output. */
export const runCommand = async (
  shell: Shell,
  asked: Asked,
  { debugFile, argv }: Pick<RunOptions, 'debugFile' | 'argv'>,
): Promise<number> => {
  const { interrupts } = shell
  const signalled = (): readonly ('sigint' | 'sigterm')[] => {
    const end = interrupts.end()
    return end === 'sigint' || end === 'sigterm' ? [end] : []
  }
  try {
    const command = await asked.load()
    const code = await command(shell, asked.args, asked.options)
    return interrupts.end() === undefined || code === EXIT_CODES['state-not-written']
      ? code
      : exitCodeOf(...signalled())
  } catch (error) {
    const isWritten = debugFile !== undefined && writeDebug(debugFile, error, argv, new Date())
    const plan = endOf(error) === 'locked' ? await planNameOf(asked.args[0]) : undefined
    tellFailure(shell, error, isWritten ? debugFile : undefined, plan)
    if (debugFile !== undefined && !isWritten)
      tell(shell.err, 'warning', `the debug file ${debugFile} can not be written`)
    return exitCodeOf(endOf(error), ...signalled())
  }
}
