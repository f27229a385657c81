import { differences } from '../support/ends.ts'
import type { Course } from './courses.ts'
import { endOf, none, nothingTwice, perform, promisesHold, requestsOf, type Whole } from './kills.ts'
import type { World } from './world.ts'

/** full, and read-only, from an operation on a file on; one that fails once. */
const KINDS = ['ENOSPC', 'EROFS', 'EIO'] as const

export interface DiskCase {
  readonly act: number
  /** Counted from 1 in the act. */
  readonly operation: number
  readonly kind: (typeof KINDS)[number]
}

export const diskCaseName = ({ act, operation, kind }: DiskCase): string =>
  `act ${act}, file ${operation}, ${kind}`

export const diskCasesOf = (whole: Whole): readonly DiskCase[] =>
  whole.done.flatMap(({ files }, act) =>
    Array.from({ length: files }, (_, index) => index + 1).flatMap((operation) =>
      KINDS.map((kind): DiskCase => ({ act, operation, kind })),
    ),
  )

/**
 * Done (what failed was only to be tidied up), partly done, or the state could not be written; and an escrow or a lock
 * that could not.
 */
const CODES = [0, 6, 7, 74]

/** Carries out an act on a disk that fails; without that, a second run has to come to the end of an undisturbed one. */
export const onFailingDisk = async (
  world: World,
  course: Course,
  whole: Whole,
  { act, operation, kind }: DiskCase,
): Promise<number> => {
  const ended = await perform(world, course, act, {
    hook: true,
    env: { FERRY_CRASH_FILE_OPERATION: `${operation}:${kind}` },
  })
  const code = ended?.code ?? -1
  const output = ended?.output ?? ''
  if (!CODES.includes(code)) throw new Error(`ended with ${code}: ${output}`)
  if (/^\s+at .*:\d+:\d+/m.test(output)) throw new Error(`a stack trace: ${output}`)
  if (code === 74 && !/^error: [A-Z][A-Za-z]+ /m.test(output)) throw new Error(`no error was told: ${output}`)
  await world.disarm()
  await promisesHold(world, course)
  const again = await perform(world, course, act)
  if (again?.code !== whole.codes[act]) throw new Error(`then ended with ${again?.code}: ${again?.output}`)
  none(differences(await endOf(world, course), whole.ends[act]))
  nothingTwice(course, await requestsOf(world, course), whole.done[act])
  return code
}
