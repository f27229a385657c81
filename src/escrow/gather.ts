import type { EscrowPlace } from '../domain/ports.ts'

/** Devices in one file at most: bounds what a damaged file can take with it. */
const MAX_DEVICES = 256
/** Milliseconds that the first item of a file waits for others to come. */
const GATHER_MS = 10

/** Items of one kind share a file; `write` answers its name. */
export interface Gatherer<I extends { readonly kind: string }> {
  add(item: I): Promise<EscrowPlace>
  /** Returns when nothing is being written any more. */
  flush(): Promise<void>
}

interface Waiting<I> {
  readonly item: I
  resolve(place: EscrowPlace): void
  reject(error: unknown): void
}

/**
 * Items that come within 10 ms, or while a file is being written, share the next file of their kind, up to 256. One
 * file is written after the other. Where that fails, all items of the file are rejected with what `write` threw.
 */
export const gatherer = <I extends { readonly kind: string }>(
  write: (items: readonly [I, ...(readonly I[])]) => Promise<string>,
): Gatherer<I> => {
  let waiting: Waiting<I>[] = []
  let draining: Promise<void> | undefined

  const drain = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, GATHER_MS))
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      const { kind } = first.item
      const batch = waiting.filter(({ item }) => item.kind === kind).slice(0, MAX_DEVICES)
      const taken = new Set(batch)
      waiting = waiting.filter((one) => !taken.has(one))
      try {
        const file = await write([first.item, ...batch.slice(1).map(({ item }) => item)])
        for (const [line, one] of batch.entries()) one.resolve({ file, line })
      } catch (error) {
        for (const one of batch) one.reject(error)
      }
    }
    draining = undefined
  }

  return {
    add: (item) =>
      new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject })
        draining ??= drain()
      }),
    flush: async () => {
      await draining
    },
  }
}
