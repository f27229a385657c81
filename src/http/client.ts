import { setMaxListeners } from 'node:events'
import { NetworkError } from '../domain/errors.ts'
import { remembered } from '../domain/remembered.ts'
import { decodeAnswer, type HttpAnswer } from './answer.ts'
import { type Attempt, attempt } from './attempt.ts'
import { createDispatcher, type Environment } from './dispatcher.ts'
import { envNumber } from './env-number.ts'
import { networkErrorOf } from './failures.ts'
import { createPacer, type Slot } from './pacer.ts'
import { createRateGate, isBucketEmpty, type RateGate } from './rate-gate.ts'
import type { Headers } from './rate-limit.ts'
import { DEFAULT_PATIENCE, decide, type Outcome, type Patience } from './retry.ts'
import { systemTiming, type Timing } from './timing.ts'

/** Told whenever a request waits before it is tried again. */
export interface Wait {
  readonly host: string
  /** `METHOD path` without query values. */
  readonly request: string
  /** The code of what happened: `RateLimited`, `ServerError`, `AnswerTimeout`, `ConnectionLost`, `HostUnreachable`. */
  readonly reason: string
  readonly waitMs: number
  /** What the server asked for, where it did; more than `waitMs` where the wait was cut. */
  readonly askedMs?: number
}

export interface HttpOptions {
  readonly env: Environment
  /** Requests at once for each origin, at most. */
  readonly maxConcurrency: number
  /** Content of a PEM file with certificate authorities to trust besides the system's. */
  readonly ca?: string | undefined
  /** Certificates are not checked. */
  readonly insecure?: boolean
  /** Ends everything: waits, and requests that are under way. */
  readonly signal?: AbortSignal | undefined
  readonly onWait?: ((wait: Wait) => void) | undefined
  readonly userAgent?: string
  readonly patience?: Partial<Patience>
  /** Milliseconds; 10 s. */
  readonly connectTimeout?: number
  /** Milliseconds until the answer's head, and between two pieces of its body; 30 s. */
  readonly answerTimeout?: number
  /** Bytes of an answer that are read at most; 32 MiB. */
  readonly bodyLimit?: number
  readonly timing?: Timing
}

interface HttpRequest extends Attempt {
  /** Requests of one kind take about the same time, and are limited together; the method, where nothing is given. */
  readonly kind?: string
  /** Attempts in all, where it is to give up earlier than others. */
  readonly attempts?: number
  /** A second one does no more than the first: it is tried again as a read is. */
  readonly repeatable?: boolean
}

/** An answer of any status, as it came. */
export interface RawAnswer {
  readonly status: number
  /** Names in lower case; the first value of each. */
  readonly headers: Headers
  readonly bytes: Buffer
}

export interface HttpClient {
  /**
   * Sends a request and decodes the answer, whatever its status. A GET is tried again after 429, 502, 503, 504,
   * timeouts and lost connections; anything else only where it certainly had no effect. Throws `NetworkError`
   * where no answer came or it was not JSON; `fault.effect` says whether a write may have had its effect.
   */
  request(request: HttpRequest): Promise<HttpAnswer>
  /** As `request`, and gives the body as it came, whatever it is. */
  send(request: HttpRequest): Promise<RawAnswer>
  /** Requests at once that are allowed now at an origin. */
  concurrency(origin: string): number
  close(): Promise<void>
}

/** Milliseconds; `FERRY_ANSWER_TIMEOUT` gives seconds. */
const answerTimeoutOf = (env: Environment): number => envNumber(env, 'FERRY_ANSWER_TIMEOUT', 30, 600) * 1_000

/** One client for all origins of a network: bounded sockets, pacing for each origin, retries, proxies, own CA. */
export const createHttpClient = (options: HttpOptions): HttpClient => {
  const timing = options.timing ?? systemTiming
  const patience = { ...DEFAULT_PATIENCE, ...options.patience }
  const dispatcher = createDispatcher({
    env: options.env,
    ca: options.ca,
    insecure: options.insecure ?? false,
    connections: options.maxConcurrency,
    connectTimeout: options.connectTimeout ?? 10_000,
    answerTimeout: options.answerTimeout ?? answerTimeoutOf(options.env),
  })
  // One listener for all that is under way, as in the pacer.
  const abort = (): void => void dispatcher.destroy(new Error('interrupted'))
  options.signal?.addEventListener('abort', abort, { once: true })
  // Each kind of request has one as well: a few dozen, which is no leak.
  if (options.signal !== undefined) setMaxListeners(0, options.signal)
  // All of them are remembered: one that was forgotten would let through what it holds back.
  const all = Number.POSITIVE_INFINITY
  const pacerOf = remembered(
    (_origin: string) => createPacer(options.maxConcurrency, timing, options.signal),
    all,
  )
  const gateOf = remembered(
    (_kind: string) => createRateGate(timing, patience.longestWait, options.signal),
    all,
  )

  /** Waits for the next attempt; returns the outcome to go with where there is none, or where the request's bucket is empty. */
  const attemptAll = async (
    one: HttpRequest,
    described: Described,
    gate: RateGate,
    slot: Slot,
  ): Promise<Outcome> => {
    const limits = one.attempts === undefined ? patience : { ...patience, attempts: one.attempts }
    let progress = { attempts: 0, refusals: 0, waited: 0 }
    for (;;) {
      slot.started(described.kind)
      const outcome = await attempt(dispatcher, one, described.url, options.bodyLimit ?? 32 * 2 ** 20)
      if (outcome.kind === 'failure') options.signal?.throwIfAborted()
      if (outcome.kind === 'answer') gate.told(outcome.status, outcome.headers)
      slot.ended(isOverload(outcome) ? 'overloaded' : 'answered')
      if (isRefusedByBucket(outcome)) return outcome
      const refused = outcome.kind === 'answer' && outcome.status === 429
      progress = refused
        ? { ...progress, refusals: progress.refusals + 1 }
        : { ...progress, attempts: progress.attempts + 1 }
      const decision = decide(outcome, described.read, progress, limits, timing.now(), timing.random())
      if (!decision.again) return outcome
      const { again: _again, ...told } = decision
      options.onWait?.({ host: described.host, request: described.request, ...told })
      if (refused) progress = { ...progress, waited: progress.waited + decision.waitMs }
      await timing.sleep(decision.waitMs, options.signal).catch((cause: unknown) => {
        // Between two attempts nothing is under way: the last one certainly had no effect.
        throw interrupted(described, 'none', cause)
      })
    }
  }

  /** One time through the gate of its kind and among those at once at its origin. */
  const pass = async (
    one: HttpRequest,
    described: Described,
    gate: RateGate,
    again: boolean,
  ): Promise<Outcome> => {
    const notYet = (cause: unknown): never => {
      throw interrupted(described, 'none', cause)
    }
    await gate.enter(again).catch(notYet)
    try {
      const slot = await pacerOf(described.url.origin).acquire().catch(notYet)
      try {
        return await attemptAll(one, described, gate, slot)
      } finally {
        slot.release()
      }
    } finally {
      gate.leave()
    }
  }

  const send = async (given: HttpRequest, described: Described): Promise<RawAnswer> => {
    const headers = { 'user-agent': options.userAgent ?? 'lorawan-ferry', ...given.headers }
    const one = { ...given, headers }
    const gate = gateOf(`${described.url.origin} ${described.kind}`)
    try {
      for (let times = 0; ; times += 1) {
        const outcome = await pass(one, described, gate, times > 0)
        if (isRefusedByBucket(outcome) && gate.refusedFor() < patience.rateLimitPatience) {
          const { host, request } = described
          options.onWait?.({ host, request, reason: 'RateLimited', waitMs: Math.round(gate.waits()) })
          continue
        }
        if (outcome.kind === 'answer') return outcome
        const { host, request, read } = described
        throw networkErrorOf(outcome.failure, host, request, read, outcome.cause)
      }
    } catch (error) {
      if (error instanceof NetworkError || options.signal?.aborted !== true) throw error
      throw interrupted(described, described.read ? 'none' : 'unknown', error)
    }
  }

  return {
    request: async (one) => {
      const described = describe(one)
      const { status, headers, bytes } = await send(one, described)
      const { host, request, read } = described
      return decodeAnswer({ status, headers, text: bytes.toString('utf8') }, host, request, read)
    },
    send: (one) => send(one, describe(one)),
    concurrency: (origin) => pacerOf(origin).limit,
    close: () => {
      options.signal?.removeEventListener('abort', abort)
      return options.signal?.aborted === true ? dispatcher.destroy() : dispatcher.close()
    },
  }
}

interface Described {
  readonly url: URL
  readonly kind: string
  readonly host: string
  readonly request: string
  readonly read: boolean
}

const describe = (one: HttpRequest): Described => {
  const url = new URL(one.url)
  return {
    url,
    kind: one.kind ?? one.method,
    host: url.host,
    request: `${one.method} ${url.pathname}`,
    read: one.method === 'GET' || one.repeatable === true,
  }
}

const isRefusedByBucket = (outcome: Outcome): boolean =>
  outcome.kind === 'answer' && isBucketEmpty(outcome.status, outcome.headers)

const isOverload = (outcome: Outcome): boolean =>
  outcome.kind === 'answer'
    ? (outcome.status === 429 && !isRefusedByBucket(outcome)) ||
      (outcome.status >= 500 && outcome.status !== 501)
    : outcome.failure.passing

const interrupted = (described: Described, effect: 'none' | 'unknown', cause: unknown): NetworkError =>
  new NetworkError(
    'Interrupted',
    `${described.host} was not asked to the end, the run was interrupted`,
    { effect, request: described.request },
    { cause, hint: 'run the command again: it goes on where it was' },
  )
