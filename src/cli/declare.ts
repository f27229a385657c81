import { type Command as Commander, Option } from 'commander'
import { exampleText } from './help.ts'
import type { Asked } from './program.ts'
import type { Command } from './shell.ts'

/** Takes what a command line asked for. */
export type Ask = (asked: Asked) => void

/** The action of a command: its code is loaded when it runs, so that `--help` is quick. */
export const runs =
  (ask: Ask, load: () => Promise<Command<never>>) =>
  (...given: readonly unknown[]): void => {
    const command = given.at(-1) as Commander
    ask({ load: load as () => Promise<Command>, args: command.args, options: command.optsWithGlobals() })
  }

export const formatOption = (): Option =>
  new Option('--format <format>', 'how to print it').choices(['text', 'markdown', 'json']).default('text')

export const examples = (command: Commander, ...list: readonly (readonly [string, string])[]): Commander =>
  command.addHelpText('before', `${exampleText(list)}\n`)

export const codes = (command: Commander, text: string): Commander =>
  command.addHelpText('after', `\nExit codes: ${text}. All of them: ferry --help.`)
