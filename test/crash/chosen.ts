const [course = '', one] = (process.env['FERRY_CRASH_CASE'] ?? '').split(': ')
const sample = process.env['FERRY_CRASH_SAMPLE']

/**
 * What of the long suite runs: `FERRY_CRASH_CASE="delete-first"` one course alone, `"delete-first: act 0, before source
 * 12"` one case of it; `FERRY_CRASH_SAMPLE=20` so many of each course, drawn by `FERRY_TEST_SEED`; `FERRY_TEST_ALL=1` each
 * kind of fault at each call.
 */
export const CHOSEN = {
  takes: (name: string): boolean => course === '' || course === name,
  one,
  sample: sample === undefined ? undefined : Number(sample),
  all: process.env['FERRY_TEST_ALL'] === '1',
  seed: Number(process.env['FERRY_TEST_SEED'] ?? 1),
} as const
