import { readFileSync } from 'node:fs'
import { FerryError } from '../index.ts'

/**
 * The system's time, or that of the file which FERRY_TEST_CLOCK names: ISO 8601 or milliseconds since 1970, read at
 * every call, so that a test can move the time of a running command.
 */
export const clockFrom = (env: Readonly<Record<string, string | undefined>>): (() => Date) => {
  const file = env['FERRY_TEST_CLOCK']
  if (file === undefined || file === '') return () => new Date()
  return () => readClock(file)
}

const readClock = (file: string): Date => {
  const text = readText(file).trim()
  const time = new Date(/^-?\d+$/.test(text) ? Number(text) : text)
  if (text !== '' && !Number.isNaN(time.getTime())) return time
  throw invalid(`${file} holds no time`)
}

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw invalid(`${file} can not be read`)
  }
}

const invalid = (message: string): FerryError =>
  new FerryError('usage', 'TestClockInvalid', `the test clock ${message}`, {
    hint: 'unset FERRY_TEST_CLOCK, or write a time such as 2026-01-05T08:00:00Z into the file',
  })
