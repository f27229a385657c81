import { Command as Commander, CommanderError } from 'commander'
import { declareCommands } from './declarations.ts'
import { type End, EXIT_CODES, EXIT_MEANINGS } from './exit-codes.ts'
import { exampleText } from './help.ts'
import type { Command } from './shell.ts'
import { version } from './version.ts'

/** What a command line asks for: a command with its arguments, loaded only then. */
export interface Asked {
  readonly load: () => Promise<Command>
  readonly args: readonly string[]
  readonly options: Readonly<Record<string, unknown>>
}

export interface ProgramStreams {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Columns for help. */
  readonly width: number
}

export type Parsed = { readonly asked: Asked } | { readonly exitCode: number }

const exitCodes = (): string =>
  [
    'Exit codes:',
    ...EXIT_MEANINGS.map(([end, meaning]) => `  ${String(EXIT_CODES[end]).padStart(3)}  ${meaning}`),
  ].join('\n')

const ENVIRONMENT = `Environment:
  FERRY_AGE_IDENTITY            file with the age identity that reads the escrow
  FERRY_ANSWER_TIMEOUT          seconds to wait for an answer of a network: 30
  FERRY_POLICY                  file with what the organisation forbids and limits
  FERRY_V2_REQUESTS_PER_SECOND  to a Stack V2 whose limit was raised: 5
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY, NO_COLOR, FORCE_COLOR   as usual`

const EXAMPLES = [
  ['ferry demo', 'a whole migration on local networks'],
  ['ferry init site.yaml', 'write a plan for an application'],
  ['ferry validate site.yaml', 'check it, without networks'],
  ['ferry plan site.yaml -o site.changes', 'see what would be done, and review it'],
  ['ferry apply site.changes', 'do it; again, to go on'],
  ['ferry verify site.yaml --wait 2h', 'wait until the devices are heard'],
] as const

const build = (streams: ProgramStreams, ask: (asked: Asked) => void): Commander => {
  const program = new Commander('ferry')
  program
    .description('Moves LoRaWAN devices between networks by a reviewed plan.')
    .version(version(), '-V, --version', 'print the version')
    .option('--json', 'one JSON document on stdout, where the command has a result')
    .option('--no-color', 'no colours; so does NO_COLOR')
    .option('--debug', 'write errors with their stack, without keys, to ferry-debug.log; or --debug=FILE')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help of a command')
    .showSuggestionAfterError()
    .showHelpAfterError('See ferry --help.')
    .addHelpText('before', `${exampleText(EXAMPLES)}\n`)
    .addHelpText('after', `\n${exitCodes()}\n\n${ENVIRONMENT}`)
  declareCommands(program, ask)
  const settle = (command: Commander): void => {
    command.exitOverride()
    command.configureOutput({
      writeOut: streams.out,
      writeErr: streams.err,
      getOutHelpWidth: () => streams.width,
      getErrHelpWidth: () => streams.width,
    })
    command.configureHelp({ showGlobalOptions: true })
    for (const child of command.commands) settle(child)
  }
  settle(program)
  return program
}

const endOf = (error: CommanderError): End => (error.exitCode === 0 ? 'done' : 'usage')

/** Reads a command line. Help, version and wrong usage are answered here, and end with their exit code. */
export const parseCommandLine = async (argv: readonly string[], streams: ProgramStreams): Promise<Parsed> => {
  let asked: Asked | undefined
  const program = build(streams, (what) => {
    asked = what
  })
  try {
    if (argv.length === 0) {
      streams.err(program.helpInformation())
      return { exitCode: EXIT_CODES.usage }
    }
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return { exitCode: EXIT_CODES[endOf(error)] }
    throw error
  }
  return asked === undefined ? { exitCode: EXIT_CODES.usage } : { asked }
}
