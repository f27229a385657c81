import { type Message, textAt } from '../json/types.ts'
import { requestInvalid } from '../json/validate.ts'
import { type Call, queryNumber, type Reply } from './call.ts'

export interface Page {
  readonly limit: number
  readonly page: number
  readonly order: string
}

const defaultLimit = 100
const maximumLimit = 1000

/** Orders that a device list takes; only some of them sort, as on the real server (API notes, section 4.3). */
export const deviceOrders = [
  'device_id',
  'join_eui',
  'dev_eui',
  'name',
  'description',
  'created_at',
  'last_seen_at',
]
const sorting = new Set(['device_id', 'application_id', 'gateway_id', 'name', 'created_at', 'last_seen_at'])

/** Reads limit, page and order; `limit` 0 is the default of 100, `page` 0 is the first. */
export const readPage = (call: Call, request: string, orders: readonly string[]): Page => {
  const order = call.query.get('order') ?? ''
  const known = ['', ...orders.flatMap((name) => [name, `-${name}`])]
  if (!known.includes(order))
    throw requestInvalid(request, 'order', `value must be in list [${known.join(' ')}]`)
  const limit = queryNumber(call, 'limit')
  if (limit > maximumLimit)
    throw requestInvalid(request, 'limit', `value must be less than or equal to ${maximumLimit}`)
  return { limit: limit === 0 ? defaultLimit : limit, page: Math.max(1, queryNumber(call, 'page')), order }
}

const keyOf = (record: Message, name: string): string | undefined =>
  name.endsWith('_id') ? textAt(record, `ids.${name}`) : textAt(record, name)

/** As the database compares: what is absent comes last. */
const compare = (left: string | undefined, right: string | undefined): number => {
  if (left === right) return 0
  if (left === undefined) return 1
  return right === undefined || left < right ? -1 : 1
}

/** Sorts by one field; names that don't sort fall back to the id, ascending. */
export const sortRecords = (records: readonly Message[], order: string, idField: string): Message[] => {
  const name = order.replace(/^-/, '')
  const field = sorting.has(name) ? name : idField
  const sign = order.startsWith('-') && sorting.has(name) ? -1 : 1
  return [...records].sort(
    (a, b) =>
      sign * (compare(keyOf(a, field), keyOf(b, field)) || compare(keyOf(a, idField), keyOf(b, idField))),
  )
}

/** One page as the server answers it; an empty page is an empty object, the count is a header. */
export const pageReply = (field: string, items: readonly Message[], { limit, page }: Page): Reply => {
  const slice = items.slice((page - 1) * limit, page * limit)
  return {
    body: slice.length === 0 ? {} : { [field]: slice },
    headers: { 'x-total-count': String(items.length) },
  }
}
