/**
 * Works through items in order with at most `concurrency` at once. `stop` is asked before each start; what has
 * started always ends. The first error that is thrown stops new starts, and is thrown once all that ran has ended.
 */
export const walk = async <T>(
  items: readonly T[],
  concurrency: number,
  work: (item: T, index: number) => Promise<void>,
  stop: () => boolean = () => false,
): Promise<void> => {
  let next = 0
  let failure: { readonly error: unknown } | undefined
  const worker = async (): Promise<void> => {
    while (next < items.length && failure === undefined && !stop()) {
      const index = next++
      try {
        await work(items[index] as T, index)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(Math.max(1, concurrency), items.length) }, worker))
  if (failure !== undefined) throw failure.error
}
