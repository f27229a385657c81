import type { Course } from './courses.ts'
import { perform } from './kills.ts'
import { makeWorld, type World } from './world.ts'

/** Commands that run at once: two cores are busy with them and with the networks. */
const AT_ONCE = 3
/** Those that wait for a faulty network most of the time. */
export const AT_ONCE_WAITING = 6

/** Tries one case in a world that stands where the case's act begins; throws where a promise is broken. */
export type Attempt<T> = (world: World, one: T) => Promise<void>

/**
 * Tries each case from the state in which its act begins. A world comes to an act once, by the acts before it, and is
 * put back after each case; a few worlds share the cases.
 */
export const tryEach = async <T extends { readonly act: number }>(
  course: Course,
  cases: readonly T[],
  attempt: Attempt<T>,
  failed: (one: T, error: unknown) => void,
  atOnce = AT_ONCE,
): Promise<void> => {
  const shares = Array.from({ length: Math.min(atOnce, cases.length) }, (_, share) =>
    cases.filter((_one, index) => index % atOnce === share),
  )
  await Promise.all(shares.map((share) => tryInOneWorld(course, share, attempt, failed)))
}

const tryInOneWorld = async <T extends { readonly act: number }>(
  course: Course,
  cases: readonly T[],
  attempt: Attempt<T>,
  failed: (one: T, error: unknown) => void,
): Promise<void> => {
  const last = Math.max(...cases.map(({ act }) => act))
  const world = await makeWorld(course)
  try {
    for (let act = 0; act <= last; act += 1) {
      const back = await world.snapshot()
      for (const one of cases.filter((each) => each.act === act)) {
        await back()
        await attempt(world, one).catch((error: unknown) => failed(one, error))
      }
      await back()
      await perform(world, course, act)
    }
  } finally {
    await world.close()
  }
}
