import { isMessage, type Json, type Message } from './json/types.ts'
import type { Registry } from './things-stack/call.ts'

/** What a fault does to a request that it meets. */
type FaultAction =
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: Json
    }
  | { readonly kind: 'hang'; readonly milliseconds: number }
  | { readonly kind: 'reset' }
  | { readonly kind: 'truncate' }
  | { readonly kind: 'html'; readonly status: number }
  | { readonly kind: 'stale' }
  | { readonly kind: 'kill'; readonly pid: number }
  | { readonly kind: 'hold'; readonly token: string }

/** A fault: which requests it meets, whether before or after their effect, and what it does. */
export interface Fault {
  readonly registry: Registry | undefined
  readonly method: string | undefined
  readonly path: RegExp | undefined
  readonly nth: number | undefined
  readonly times: number | undefined
  readonly when: 'before' | 'after'
  readonly action: FaultAction
}

interface Armed {
  readonly fault: Fault
  seen: number
  fired: number
}

const gatewayStatus: Readonly<Record<number, readonly [code: number, message: string]>> = {
  429: [8, 'too many requests'],
  500: [13, 'internal error'],
  502: [14, 'bad gateway'],
  503: [14, 'service unavailable'],
  504: [4, 'gateway timeout'],
}

const headersOf = (value: Json | undefined): Record<string, string> =>
  isMessage(value)
    ? Object.fromEntries(Object.entries(value).map(([name, text]) => [name.toLowerCase(), String(text)]))
    : {}

const readAction = (value: Json | undefined): FaultAction | string => {
  if (!isMessage(value)) return '"do" must be an object'
  if (typeof value['status'] === 'number') {
    const [code, message] = gatewayStatus[value['status']] ?? [2, 'made up by a fault']
    return {
      kind: 'status',
      status: value['status'],
      headers: headersOf(value['headers']),
      body: value['body'] ?? { code, message },
    }
  }
  if (typeof value['hang'] === 'number') return { kind: 'hang', milliseconds: value['hang'] }
  if (value['reset'] === true) return { kind: 'reset' }
  if (value['truncate'] === true) return { kind: 'truncate' }
  if (typeof value['html'] === 'number') return { kind: 'html', status: value['html'] }
  if (value['stale'] === true) return { kind: 'stale' }
  if (typeof value['kill'] === 'number') return { kind: 'kill', pid: value['kill'] }
  if (typeof value['hold'] === 'string') return { kind: 'hold', token: value['hold'] }
  return '"do" must be one of status, hang, reset, truncate, html, stale, kill, hold'
}

const registries: readonly string[] = ['is', 'js', 'ns', 'as', 'gs', 'edtc', 'all']

const readPath = (value: Json | undefined): RegExp | undefined | string => {
  if (value === undefined) return undefined
  if (typeof value !== 'string') return '"path" must be the source of a regular expression'
  try {
    return new RegExp(value)
  } catch {
    return `"path" is no regular expression: ${value}`
  }
}

const readFault = (value: Json): Fault | string => {
  if (!isMessage(value)) return 'a fault must be an object'
  const action = readAction(value['do'])
  if (typeof action === 'string') return action
  const path = readPath(value['path'])
  if (typeof path === 'string') return path
  const { registry, method, nth, times, when } = value
  if (registry !== undefined && !registries.includes(String(registry)))
    return `unknown registry: ${String(registry)}`
  if (when !== undefined && when !== 'before' && when !== 'after') return '"when" must be before or after'
  return {
    registry: registry === undefined ? undefined : (String(registry) as Registry),
    method: typeof method === 'string' ? method.toUpperCase() : undefined,
    path,
    nth: typeof nth === 'number' ? nth : undefined,
    times: typeof times === 'number' ? times : undefined,
    when: when === 'after' ? 'after' : 'before',
    action,
  }
}

/** The armed faults of one network. */
export interface FaultList {
  /** Adds faults; the answer is a sentence when one can't be read (then none is added). */
  add(body: Message): string | undefined
  clear(): void
  /** The faults that meet this request, counting it. */
  meet(request: {
    readonly method: string
    readonly path: string
    readonly registry: Registry | undefined
  }): readonly Fault[]
}

/** An empty list of faults. */
export const createFaults = (): FaultList => {
  let armed: Armed[] = []
  const matches = ({ fault }: Armed, request: Parameters<FaultList['meet']>[0]): boolean =>
    (fault.registry === undefined || fault.registry === request.registry) &&
    (fault.method === undefined || fault.method === request.method) &&
    (fault.path === undefined || fault.path.test(request.path))
  return {
    add: (body) => {
      const given = body['faults']
      if (!Array.isArray(given)) return 'the body must be {"faults": [...]}'
      const read = given.map(readFault)
      const wrong = read.find((fault) => typeof fault === 'string')
      if (typeof wrong === 'string') return wrong
      armed = [
        ...armed,
        ...read.flatMap((fault) => (typeof fault === 'string' ? [] : [{ fault, seen: 0, fired: 0 }])),
      ]
      return undefined
    },
    clear: () => {
      armed = []
    },
    meet: (request) =>
      armed.flatMap((entry) => {
        if (!matches(entry, request)) return []
        entry.seen += 1
        const { nth, times } = entry.fault
        const due = nth === undefined ? true : times === undefined ? entry.seen === nth : entry.seen >= nth
        if (!due || (times !== undefined && entry.fired >= times)) return []
        entry.fired += 1
        return [entry.fault]
      }),
  }
}
