import { FerryError, type PlanAnswers } from '../index.ts'
import type { Shell } from './shell.ts'

type End = PlanAnswers['source']

export interface InitOptions {
  readonly name?: string
  readonly sourceUrl?: string
  readonly sourceApp?: string
  readonly sourceKeyEnv?: string
  readonly sourceKeyFile?: string
  readonly sourceCaFile?: string
  readonly targetUrl?: string
  readonly targetApp?: string
  readonly targetKeyEnv?: string
  readonly targetKeyFile?: string
  readonly targetCaFile?: string
  readonly keepSessions?: boolean
  readonly joinAnew?: boolean
  readonly gateways?: NonNullable<PlanAnswers['gateways']>
  readonly device?: readonly string[]
  readonly idsFile?: string
  readonly match?: string
  readonly recipient?: readonly string[]
}

interface Question {
  /** The option that answers it. */
  readonly option: string
  readonly text: string
  readonly suggested?: string
}

/** What options say, and for the rest what a person answers; without a terminal every missing option is named. */
export const answersFrom = async (shell: Shell, options: InitOptions): Promise<PlanAnswers> => {
  refuseBoth(options)
  const missing: string[] = []
  const ask = async (given: string | undefined, question: Question): Promise<string> => {
    if (given !== undefined) return given
    if (shell.canAsk) return put(shell, question)
    missing.push(question.option)
    return ''
  }
  const source = await endFrom(ask, options, 'source')
  const target = await endFrom(ask, options, 'target')
  const sessions = await ask(sessionsGiven(options), {
    option: '--keep-sessions or --join-anew',
    text: 'Keep the running sessions (keep), or have devices join anew (join)?',
  })
  if (missing.length > 0) {
    throw new FerryError(
      'usage',
      'AnswersMissing',
      `there is no terminal to ask on; missing: ${missing.join(', ')}`,
      {
        hint: 'give these options, or run ferry init on a terminal',
      },
    )
  }
  return {
    name: options.name ?? source.application,
    source,
    target,
    persistSession: keeps(sessions),
    ...(options.gateways === undefined ? {} : { gateways: options.gateways }),
    ...(options.device === undefined ? {} : { ids: options.device }),
    ...(options.idsFile === undefined ? {} : { idsFile: options.idsFile }),
    ...(options.match === undefined ? {} : { match: options.match }),
    ...(options.recipient === undefined ? {} : { recipients: options.recipient }),
  }
}

const refuseBoth = (options: InitOptions): void => {
  if (options.keepSessions !== true || options.joinAnew !== true) return
  throw new FerryError('usage', 'TooMuchAsked', '--keep-sessions and --join-anew can not be given together', {
    hint: 'give one of them; overrides in the plan may say otherwise for some devices',
  })
}

const sessionsGiven = ({ keepSessions, joinAnew }: InitOptions): string | undefined =>
  keepSessions === true ? 'keep' : joinAnew === true ? 'join' : undefined

const keeps = (answer: string): boolean => {
  if (/^k(eep)?$/i.test(answer)) return true
  if (/^j(oin)?$/i.test(answer)) return false
  throw new FerryError('usage', 'AnswerUnknown', `${JSON.stringify(answer)} is no answer`, {
    hint: 'answer keep or join',
  })
}

const put = async (shell: Shell, { option, text, suggested }: Question): Promise<string> => {
  const suggestion = suggested === undefined ? '' : ` [${suggested}]`
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const answer = await shell.ask(`${text}${suggestion} `)
    if (answer === undefined) break
    if (answer !== '') return answer
    if (suggested !== undefined) return suggested
  }
  throw new FerryError('usage', 'AnswersMissing', `no answer; missing: ${option}`, {
    hint: 'give the option, or run ferry init again',
  })
}

type Ask = (given: string | undefined, question: Question) => Promise<string>

const endFrom = async (ask: Ask, options: InitOptions, side: 'source' | 'target'): Promise<End> => {
  const url = await ask(options[`${side}Url`], {
    option: `--${side}-url`,
    text: `Address of the ${side} network, such as https://eu1.cloud.thethings.network:`,
  })
  const application = await ask(options[`${side}App`], {
    option: `--${side}-app`,
    text: `Application on the ${side}:`,
  })
  const file = options[`${side}KeyFile`]
  const env =
    file === undefined
      ? await ask(options[`${side}KeyEnv`], {
          option: `--${side}-key-env`,
          text: `Environment variable that holds its API key (its name, not the key):`,
          suggested: `${side.toUpperCase()}_API_KEY`,
        })
      : undefined
  const caFile = options[`${side}CaFile`]
  return {
    url,
    application,
    apiKey: env === undefined ? { file: file ?? '' } : { env },
    ...(caFile === undefined ? {} : { caFile }),
    ...(/^http:\/\//i.test(url) ? { insecure: true } : {}),
  }
}
