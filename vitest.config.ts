import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Folders whose files take long, the longest first. */
const FIRST = ['/test/crash/', '/test/cli/', '/test/scenarios/']

const rankOf = ({ moduleId }: TestSpecification): number => {
  const rank = FIRST.findIndex((folder) => moduleId.includes(folder))
  return rank === -1 ? FIRST.length : rank
}

/** The largest file comes first by itself, and a small one that takes two minutes would be left to run alone at the end. */
class LongOnesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b))
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    sequence: { sequencer: LongOnesFirst },
  },
})
