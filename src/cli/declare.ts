import { type Command as Commander, Option } from 'commander'
import { MACHINE_FORMATS } from '../report/machines/formats.ts'
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

export const formatOption = (forms: readonly string[] = ['text', 'markdown', 'json']): Option =>
  new Option(
    '--format <format>',
    'how to print it; github: annotations; gitlab: code quality; sarif: code scanning; junit: a test report',
  )
    .choices([...forms, ...MACHINE_FORMATS])
    .default('text')

export const examples = (command: Commander, ...list: readonly (readonly [string, string])[]): Commander =>
  command.addHelpText('before', `${exampleText(list)}\n`)

export const codes = (command: Commander, text: string): Commander =>
  command.addHelpText('after', `\nExit codes: ${text}. All of them: ferry --help.`)
