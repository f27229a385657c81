import { copy, type Message, textAt } from './json/types.ts'

const euiPair = (record: Message | undefined): string | undefined => {
  const join = textAt(record, 'ids.join_eui')
  const dev = textAt(record, 'ids.dev_eui')
  return join === undefined || dev === undefined ? undefined : `${join}/${dev}`
}

/** Names of one kind under which records are found, each with the keys of the records that bear it. */
class Index {
  readonly #keys = new Map<string, Set<string>>()

  add(name: string | undefined, key: string): void {
    if (name === undefined) return
    const keys = this.#keys.get(name)
    if (keys === undefined) this.#keys.set(name, new Set([key]))
    else keys.add(key)
  }

  remove(name: string | undefined, key: string): void {
    if (name !== undefined) this.#keys.get(name)?.delete(key)
  }

  find(name: string): string[] {
    return [...(this.#keys.get(name) ?? [])].sort()
  }
}

/**
 * The records of one registry, by key. It remembers the value before the last write of each key, so that a fault can
 * have reads answered from a replica that lags (`stale`).
 */
export class RecordStore {
  readonly #records = new Map<string, Message>()
  readonly #before = new Map<string, Message | undefined>()
  readonly #euis = new Index()
  readonly #addresses = new Index()
  /** Sorted, until a record comes or goes. */
  #keys: readonly string[] | undefined
  /** While true, reads answer with the value before the last write. */
  stale = false

  /** A copy of the record, or undefined. */
  get(key: string): Message | undefined {
    const record = this.stale && this.#before.has(key) ? this.#before.get(key) : this.#records.get(key)
    return record === undefined ? undefined : copy(record)
  }

  /** Stores a copy. */
  set(key: string, record: Message): void {
    const before = this.#records.get(key)
    if (before === undefined) this.#keys = undefined
    const next = copy(record)
    this.#before.set(key, before)
    this.#unindex(key, before)
    this.#records.set(key, next)
    this.#euis.add(euiPair(next), key)
    this.#addresses.add(textAt(next, 'session.dev_addr'), key)
    this.#addresses.add(textAt(next, 'pending_session.dev_addr'), key)
  }

  /** Removes a record; false when there was none. */
  delete(key: string): boolean {
    const record = this.#records.get(key)
    if (record === undefined) return false
    this.#before.set(key, record)
    this.#unindex(key, record)
    this.#keys = undefined
    return this.#records.delete(key)
  }

  has(key: string): boolean {
    return this.#records.has(key)
  }

  /** The keys that begin with the prefix, sorted. */
  keys(prefix = ''): readonly string[] {
    this.#keys ??= [...this.#records.keys()].sort()
    const all = this.stale ? [...new Set([...this.#keys, ...this.#before.keys()])].sort() : this.#keys
    return prefix === '' ? all : all.filter((key) => key.startsWith(prefix))
  }

  /** Copies of all records whose key begins with the prefix, sorted by key. */
  entries(prefix = ''): [string, Message][] {
    return this.#copies(this.keys(prefix))
  }

  /** How many records have a key that begins with the prefix. */
  count(prefix: string): number {
    return [...this.#records.keys()].filter((key) => key.startsWith(prefix)).length
  }

  /** The records with this pair of EUIs, both present. */
  withEuis(joinEui: string, devEui: string): [string, Message][] {
    return this.#copies(this.#euis.find(`${joinEui}/${devEui}`))
  }

  /** The records whose session or pending session has this DevAddr. */
  withDevAddr(devAddr: string): [string, Message][] {
    return this.#copies(this.#addresses.find(devAddr))
  }

  /** Everything as one JSON object. */
  dump(): Message {
    return Object.fromEntries(
      [...this.#records].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, record]) => [key, copy(record)]),
    )
  }

  /** Remembers all records; the answer puts them back. */
  snapshot(): () => void {
    const records = this.#copies([...this.#records.keys()])
    return () => {
      for (const key of [...this.#records.keys()]) this.delete(key)
      for (const [key, record] of records) this.set(key, record)
      this.#before.clear()
    }
  }

  #copies(keys: readonly string[]): [string, Message][] {
    return keys.flatMap((key): [string, Message][] => {
      const record = this.get(key)
      return record === undefined ? [] : [[key, record]]
    })
  }

  #unindex(key: string, record: Message | undefined): void {
    this.#euis.remove(euiPair(record), key)
    this.#addresses.remove(textAt(record, 'session.dev_addr'), key)
    this.#addresses.remove(textAt(record, 'pending_session.dev_addr'), key)
  }
}
