import { basename } from 'node:path'
import { acceptedDeviceId } from '../domain/accepted-id.ts'
import { FerryError, type FileColumns, type PlanAnswers } from '../index.ts'
import {
  addressFault,
  applicationFault,
  GATEWAYS,
  type Gateways,
  sessionsFault,
  variableFault,
} from './init-checks.ts'
import type { Shell } from './shell.ts'
import { tell } from './tell.ts'

type End = PlanAnswers['target']

export interface InitOptions {
  readonly name?: string
  readonly sourceFile?: string
  readonly frequencyPlan?: string
  readonly lorawanVersion?: string
  readonly lorawanPhyVersion?: string
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
  readonly gateways?: Gateways
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
  /** What is wrong with an answer; undefined where it can be used. */
  readonly check: (answer: string) => string | undefined
}

/** What options say, and for the rest what a person answers; without a terminal every missing option is named. */
export const answersFrom = async (
  shell: Shell,
  options: InitOptions,
  /** What a file says of itself. */
  lookAt: (file: string) => Promise<{ readonly columns?: FileColumns }>,
): Promise<PlanAnswers> => {
  refuseBoth(options)
  const missing: string[] = []
  const ask = async (given: string | undefined, question: Question): Promise<string> => {
    if (given !== undefined) return given
    if (shell.canAsk) return put(shell, question)
    missing.push(question.option)
    return ''
  }
  const source =
    options.sourceFile === undefined
      ? await endFrom(ask, options, 'source')
      : await fileFrom(ask, options, options.sourceFile, lookAt)
  const target = await endFrom(ask, options, 'target')
  const sessions = await ask(sessionsGiven(options), {
    option: '--keep-sessions or --join-anew',
    text: 'Keep the running sessions (keep), or have devices join anew (join)?',
    check: sessionsFault,
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
  const persistSession = keeps(sessions)
  const gateways = options.gateways ?? (persistSession && shell.canAsk ? await askGateways(shell) : undefined)
  return {
    name: options.name ?? ('file' in source ? nameAfter(source.file) : source.application),
    source,
    target,
    persistSession,
    ...(gateways === undefined ? {} : { gateways }),
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

const keeps = (answer: string): boolean => /^k(eep)?$/i.test(answer)

/** Kept sessions are heard only through gateways of the target, so that it has to be known where they are. */
const askGateways = async (shell: Shell): Promise<Gateways> => {
  const answer = await put(shell, {
    option: '--gateways',
    text: `Where are the gateways of these devices (${GATEWAYS.join(', ')})?`,
    suggested: 'unknown',
    check: (text) =>
      GATEWAYS.some((each) => each === text) ? undefined : `answer one of ${GATEWAYS.join(', ')}`,
  })
  return GATEWAYS.find((each) => each === answer) ?? 'unknown'
}

const ATTEMPTS = 3

/** Asks until an answer can be used, three times at most. */
const put = async (shell: Shell, { option, text, suggested, check }: Question): Promise<string> => {
  const suggestion = suggested === undefined ? '' : ` [${suggested}]`
  let fault: string | undefined
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const given = await shell.ask(`${text}${suggestion} `)
    if (given === undefined) break
    const answer = given === '' ? (suggested ?? '') : given
    if (answer === '') continue
    fault = check(answer)
    if (fault === undefined) return answer
    tell(shell.err, 'note', `that can not be used: ${fault}`)
  }
  const [code, message] =
    fault === undefined
      ? (['AnswersMissing', `no answer; missing: ${option}`] as const)
      : (['AnswerUnknown', `no answer that can be used; missing: ${option} (${fault})`] as const)
  throw new FerryError('usage', code, message, { hint: 'give the option, or run ferry init again' })
}

/** A plan has an id for a name. */
const nameAfter = (file: string): string => acceptedDeviceId(basename(file).replace(/\.[^.]*$/, ''))

/** Columns that say what the target has to know of a radio. */
const RADIO = ['frequencyPlan', 'lorawanVersion', 'lorawanPhyVersion'] as const

const fileFrom = async (
  ask: Ask,
  options: InitOptions,
  file: string,
  lookAt: Parameters<typeof answersFrom>[2],
): Promise<PlanAnswers['source']> => {
  const { columns } = await lookAt(file)
  if (columns === undefined || RADIO.every((name) => columns[name] !== undefined))
    return { file, ...(columns === undefined ? {} : { columns }) }
  const of = (option: string, text: string, suggested: string) => ({
    option,
    text,
    suggested,
    check: (answer: string) => (/^[\w.-]+$/.test(answer) ? undefined : 'write its id, without blanks'),
  })
  const frequencyPlan = await ask(
    options.frequencyPlan,
    of('--frequency-plan', 'Frequency plan of the devices, which the file does not tell:', 'EU_863_870_TTN'),
  )
  const lorawanVersion = await ask(
    options.lorawanVersion,
    of('--lorawan-version', 'Their LoRaWAN version:', '1.0.3'),
  )
  const lorawanPhyVersion = await ask(
    options.lorawanPhyVersion,
    of('--lorawan-phy-version', 'Their regional parameters version:', 'PHY_V1_0_3_REV_A'),
  )
  return { file, columns, defaults: { frequencyPlan, lorawanVersion, lorawanPhyVersion } }
}

type Ask = (given: string | undefined, question: Question) => Promise<string>

const endFrom = async (ask: Ask, options: InitOptions, side: 'source' | 'target'): Promise<End> => {
  const url = await ask(options[`${side}Url`], {
    option: `--${side}-url`,
    text: `Address of the ${side} network, such as https://eu1.cloud.thethings.network:`,
    check: addressFault,
  })
  const application = await ask(options[`${side}App`], {
    option: `--${side}-app`,
    text: `Application on the ${side}:`,
    check: applicationFault,
  })
  const file = options[`${side}KeyFile`]
  const env =
    file === undefined
      ? await ask(options[`${side}KeyEnv`], {
          option: `--${side}-key-env`,
          text: `Environment variable that holds its API key (its name, not the key):`,
          suggested: `${side.toUpperCase()}_API_KEY`,
          check: variableFault,
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
