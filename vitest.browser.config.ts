import { defineConfig } from 'vitest/config'

/** The report in a real browser: not part of `npm test`, for not every machine has one. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.browser.ts'],
    environment: 'node',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
})
