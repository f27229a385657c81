import { FerryError } from '../domain/errors.ts'

const DEFAULT_SECONDS = 30
const LONGEST_SECONDS = 600

/**
 * Milliseconds to wait for an answer, and for each further part of it: `FERRY_ANSWER_TIMEOUT` in whole seconds, 1 to 600,
 * or 30. @throws FerryError `AnswerTimeoutInvalid`, kind `usage`
 */
export const answerTimeoutOf = (env: Readonly<Record<string, string | undefined>>): number => {
  const given = env['FERRY_ANSWER_TIMEOUT'] ?? ''
  const seconds = given === '' ? DEFAULT_SECONDS : /^\d{1,3}$/.test(given) ? Number(given) : 0
  if (seconds >= 1 && seconds <= LONGEST_SECONDS) return seconds * 1_000
  throw new FerryError('usage', 'AnswerTimeoutInvalid', 'FERRY_ANSWER_TIMEOUT is not a number of seconds', {
    hint: `give it 1 to ${LONGEST_SECONDS}, or leave it out for ${DEFAULT_SECONDS}`,
  })
}
