import { copy, type Message } from './json/types.ts'

/**
 * The records of one registry, by key. It remembers the value before the last write of each key, so that a fault can
 * have reads answered from a replica that lags (`stale`).
 */
export class RecordStore {
  readonly #records = new Map<string, Message>()
  readonly #before = new Map<string, Message | undefined>()
  /** While true, reads answer with the value before the last write. */
  stale = false

  /** A copy of the record, or undefined. */
  get(key: string): Message | undefined {
    const record = this.stale && this.#before.has(key) ? this.#before.get(key) : this.#records.get(key)
    return record === undefined ? undefined : copy(record)
  }

  /** Stores a copy. */
  set(key: string, record: Message): void {
    this.#before.set(key, this.#records.get(key))
    this.#records.set(key, copy(record))
  }

  /** Removes a record; false when there was none. */
  delete(key: string): boolean {
    const record = this.#records.get(key)
    if (record === undefined) return false
    this.#before.set(key, record)
    return this.#records.delete(key)
  }

  has(key: string): boolean {
    return this.#records.has(key)
  }

  /** Copies of all records whose key begins with the prefix, sorted by key. */
  entries(prefix = ''): [string, Message][] {
    const keys = this.stale
      ? new Set([...this.#records.keys(), ...this.#before.keys()])
      : this.#records.keys()
    return [...keys]
      .filter((key) => key.startsWith(prefix))
      .sort()
      .flatMap((key): [string, Message][] => {
        const record = this.get(key)
        return record === undefined ? [] : [[key, record]]
      })
  }

  /** Everything as one JSON object. */
  dump(): Message {
    return Object.fromEntries(
      [...this.#records].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, record]) => [key, copy(record)]),
    )
  }
}
