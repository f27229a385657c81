import { FerryError } from '../domain/errors.ts'
import type { Environment } from './dispatcher.ts'

/**
 * A whole number from 1 on that an environment variable may give.
 * @throws FerryError `EnvironmentInvalid`, kind `usage`
 */
export const envNumber = (env: Environment, name: string, usual: number, most: number): number => {
  const given = env[name] ?? ''
  if (given === '') return usual
  const number = /^\d{1,6}$/.test(given) ? Number(given) : 0
  if (number >= 1 && number <= most) return number
  throw new FerryError('usage', 'EnvironmentInvalid', `${name} is not a whole number from 1 to ${most}`, {
    hint: `correct it, or unset it for ${usual}`,
  })
}
