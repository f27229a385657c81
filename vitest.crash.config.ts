import { defineConfig } from 'vitest/config'

/** The long suite: `npm run test:crash`. */
export default defineConfig({
  test: {
    include: ['test/crash/**/*.crash.ts'],
    testTimeout: 600_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
  },
})
