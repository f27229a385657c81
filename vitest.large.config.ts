import { defineConfig } from 'vitest/config'

/** The scenario of a large fleet with ten thousand devices: `npm run test:large`. */
export default defineConfig({
  test: {
    include: ['test/scenarios/large-fleet.test.ts'],
    env: { FERRY_TEST_DEVICES: '10000' },
    maxWorkers: 1,
  },
})
