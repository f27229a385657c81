import { createHmac } from 'node:crypto'
import { inspect } from 'node:util'

/**
 * A key, token or password. It prints, serialises and inspects as `[redacted]`, so that it can't reach
 * an output by accident; only `reveal` gives the value, and only requests and the escrow call it.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  equals(other: Secret): boolean {
    return this.#value === other.#value
  }

  /** HMAC-SHA-256 cut to 16 hex digits: comparable between runs that share the key, and nothing else. */
  fingerprint(key: string): string {
    return createHmac('sha256', key).update(this.#value).digest('hex').slice(0, 16)
  }

  toJSON(): string {
    return '[redacted]'
  }

  toString(): string {
    return '[redacted]'
  }

  [inspect.custom](): string {
    return '[redacted]'
  }
}
