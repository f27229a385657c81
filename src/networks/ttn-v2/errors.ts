import { NetworkError } from '../../domain/errors.ts'
import type { Json } from '../../domain/json.ts'
import { redact } from '../../domain/redact.ts'
import type { HttpAnswer } from '../../http/index.ts'

/** What was asked, for an error about it. */
export interface Asked {
  readonly host: string
  readonly application: string
  /** `METHOD path` without query. */
  readonly request: string
  readonly read: boolean
}

interface Meaning {
  readonly code: string
  readonly says: string
  readonly hint: string
  /** The status that a network would have answered that told its errors apart. */
  readonly status: number
  /** Whether a write may have had its effect all the same. */
  readonly effect?: 'unknown'
}

type Explain = (asked: Asked, text: string) => Meaning

const KEY_HINT =
  'create an access key of the application with the right devices, and name it by accessKey in the plan'

const MISSING_RIGHT = /No "([^"]*)" rights to Application "([^"]*)"/

/**
 * By what the text says: over HTTP almost every failure is status 500 with code 2 (V2 notes, section 5). The first
 * that fits counts.
 */
const MEANINGS: readonly (readonly [RegExp, Explain])[] = [
  [
    /\[ResourceExhausted\] Rate limit/,
    () => ({
      code: 'RateLimited',
      says: 'still refuses because of its rate limit',
      hint: 'run the command again later, when nobody else asks for the application',
      status: 429,
    }),
  ],
  [
    /larger than max/,
    () => ({
      code: 'ServerError',
      says: 'can not send so much at once',
      hint: 'report this: lists are asked for in pages',
      status: 500,
    }),
  ],
  [
    MISSING_RIGHT,
    ({ application }, text) => {
      const [, right = '', of = ''] = MISSING_RIGHT.exec(text) ?? []
      return of === application
        ? {
            code: 'MissingRight',
            says: `asks for the right ${right}, which the access key does not have`,
            hint: KEY_HINT,
            status: 403,
          }
        : {
            code: 'EuisTaken',
            says: `knows these EUIs already: application ${of} holds them`,
            hint: 'a pair of EUIs exists once in a network: delete that device, or leave this one out of the plan',
            status: 409,
          }
    },
  ],
  [
    /^permission denied|neither token nor key present|Auth server "[^"]*" not registered|access key/i,
    () => ({ code: 'CredentialRefused', says: 'refuses the access key', hint: KEY_HINT, status: 401 }),
  ],
  [
    /not registered to this Handler|handler:application:\S+ not found/,
    ({ application }) => ({
      code: 'ApplicationNotFound',
      says: `does not know the application ${application}`,
      hint: 'check application in the plan, and that its handler is the one at url',
      status: 404,
    }),
  ],
  [
    /not found/,
    () => ({
      code: 'DeviceNotFound',
      says: 'does not know the device',
      hint: 'plan anew: it was deleted meanwhile',
      status: 404,
    }),
  ],
  [
    /already exists/,
    () => ({
      code: 'EuisTaken',
      says: 'knows these EUIs already: another device of the application holds them',
      hint: 'a pair of EUIs exists once in a network: delete that device, or leave this one out of the plan',
      status: 409,
    }),
  ],
  [
    /unavailable/i,
    () => ({
      code: 'ServerError',
      says: 'does not reach its network server',
      hint: 'run the command again when the network server is back',
      status: 503,
      effect: 'unknown',
    }),
  ],
  [
    /not valid|Maximum number|exceeds maximum|encoding\/hex|wrong input length|cannot unmarshal/,
    (_asked, text) => ({
      code: 'InvalidField',
      says: `refuses a value: ${redact(text).slice(0, 120)}`,
      hint: 'correct it on the source, or leave the device out of the plan',
      status: 400,
      // The network server is written first: what the handler refuses may be there all the same.
      effect: 'unknown',
    }),
  ],
]

/** A proxy in front, or an older build, may answer with true statuses. */
const byStatus = (status: number, asked: Asked, text: string): Meaning => {
  const like: Readonly<Record<number, string>> = {
    401: 'access key',
    403: 'access key',
    404: 'not found',
    429: '[ResourceExhausted] Rate limit',
  }
  const words = like[status]
  if (words !== undefined) return explain(words, status, asked)
  return {
    code: 'ServerError',
    says: `answered ${status}${text === '' ? '' : `: ${redact(text).slice(0, 120)}`}`,
    hint: 'run the command again later; where the text speaks of a key, check the access key',
    status,
    ...(status >= 500 ? { effect: 'unknown' as const } : {}),
  }
}

const explain = (text: string, status: number, asked: Asked): Meaning =>
  MEANINGS.find(([pattern]) => pattern.test(text))?.[1](asked, text) ?? byStatus(status, asked, text)

const textOf = (body: Json | undefined): string => {
  if (body === null || typeof body !== 'object' || Array.isArray(body)) return ''
  const { error, message } = body as { readonly [name: string]: Json }
  return typeof message === 'string' ? message : typeof error === 'string' ? error : ''
}

/** The answer as the exception that the engine knows; nothing in it quotes a value that was sent. */
export const errorOf = ({ status, body }: HttpAnswer, asked: Asked): NetworkError => {
  const meaning = explain(textOf(body), status, asked)
  return new NetworkError(
    meaning.code,
    `the handler at ${asked.host} ${meaning.says}`,
    {
      effect: asked.read ? 'none' : (meaning.effect ?? 'none'),
      request: asked.request,
      status: meaning.status,
    },
    { hint: meaning.hint },
  )
}

/** What a network can not do that was made before there was anything to do it. */
export const unsupported = (what: string, host: string): NetworkError =>
  new NetworkError(
    'ApiUnsupported',
    `a Stack V2 (${host}) can not ${what}`,
    { effect: 'none', request: 'none' },
    { hint: 'report this: a plan that asks for it should have been refused' },
  )
