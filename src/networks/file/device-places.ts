/** Where devices of a file are, by their number in it. A file may have a million. */
interface DevicePlaces {
  add(offset: number, length: number, line: number): void
  at(index: number): { readonly offset: number; readonly length: number; readonly line: number }
}

const NUMBERS = 3

/** Numbers in one piece of memory, which grows. */
export const createDevicePlaces = (): DevicePlaces => {
  let numbers = new Float64Array(1_000 * NUMBERS)
  let used = 0
  return {
    add: (...place) => {
      if (used === numbers.length) {
        const larger = new Float64Array(numbers.length * 2)
        larger.set(numbers)
        numbers = larger
      }
      numbers.set(place, used)
      used += NUMBERS
    },
    at: (index) => {
      const [offset = 0, length = 0, line = 0] = numbers.subarray(index * NUMBERS, (index + 1) * NUMBERS)
      return { offset, length, line }
    },
  }
}
