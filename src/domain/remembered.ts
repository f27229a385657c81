/** Objects of which a text is remembered: those that a fleet shares are among its first. */
const MOST_REMEMBERED = 4_096

/** A text of an object, worked out once where many ask for the same object's. */
export const remembered = <T extends object>(textOf: (value: T) => string): ((value: T) => string) => {
  const known = new Map<T, string>()
  return (value) => {
    const before = known.get(value)
    if (before !== undefined) return before
    const text = textOf(value)
    if (known.size < MOST_REMEMBERED) known.set(value, text)
    return text
  }
}
