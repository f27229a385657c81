import { performance } from 'node:perf_hooks'

/** Times as a network prints them: UTC, with the decimals that its registries keep. */
export interface StackClock {
  now(): Date
  /** Microseconds, as the Identity Server prints them. */
  micros(): string
  /** Nanoseconds, as the other registries print them. */
  nanos(): string
}

/**
 * A clock over a source of milliseconds; the finer digits come from the process's own timer. Two readings within
 * one second never go backwards, so that `updated_at` grows with every write.
 */
export const stackClock = (source: () => Date): StackClock => {
  let last = 0n
  const nanoseconds = (): bigint => {
    const fine = BigInt(Math.floor((performance.now() % 1) * 1e6))
    const reading = BigInt(source().getTime()) * 1_000_000n + fine
    last = reading <= last && last - reading < 1_000_000_000n ? last + 1000n : reading
    return last
  }
  const print = (total: bigint, digits: number): string => {
    const seconds = new Date(Number(total / 1_000_000n)).toISOString().slice(0, 19)
    // A last group of zeros would be cut when printed; one unit more keeps the length that readers see.
    const unit = 10n ** BigInt(9 - digits)
    const shown = (total / unit) % 1000n === 0n ? total + unit : total
    const fraction = (shown % 1_000_000_000n).toString().padStart(9, '0').slice(0, digits)
    return `${seconds}.${fraction}Z`
  }
  return { now: source, micros: () => print(nanoseconds(), 6), nanos: () => print(nanoseconds(), 9) }
}

/** Nanoseconds since 1970 of a time as networks print it; undefined for none. */
export const instant = (text: string | undefined): bigint | undefined => {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/.exec(text ?? '')
  if (parts === null) return undefined
  return BigInt(Date.parse(`${parts[1]}Z`)) * 1_000_000n + BigInt((parts[2] ?? '').padEnd(9, '0'))
}
