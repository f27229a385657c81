import { readFileSync } from 'node:fs'

let known: string | undefined

/** The version of the package; `package.json` lies in the same place seen from `src/cli` and from `dist/cli`. */
export const version = (): string => {
  known ??= (
    JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      readonly version: string
    }
  ).version
  return known
}

/** As change sets and the state name the tool. */
export const toolName = (): string => `lorawan-ferry ${version()}`
