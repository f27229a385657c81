import { isStackId } from '../domain/identifiers.ts'
import type { PlanAnswers } from '../index.ts'

/** What is wrong with an answer to `ferry init`, told when it is given. No answer is repeated: it may be a key. */

export type Gateways = NonNullable<PlanAnswers['gateways']>
export const GATEWAYS = [
  'on-target',
  'moving-now',
  'packet-broker',
  'unknown',
] as const satisfies readonly Gateways[]

const LOCAL = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/

export const addressFault = (answer: string): string | undefined => {
  if (!URL.canParse(answer)) return 'write an address with its scheme, such as https://example.org'
  const { protocol, hostname } = new URL(answer)
  if (protocol === 'https:' || (protocol === 'http:' && LOCAL.test(hostname))) return undefined
  return 'write an https address; http is for networks on this machine'
}

export const applicationFault = (answer: string): string | undefined =>
  isStackId(answer)
    ? undefined
    : 'an application id has 3 to 36 of a-z, 0-9 and single inner hyphens, such as building-a'

export const variableFault = (answer: string): string | undefined =>
  /^[A-Za-z_]\w*$/.test(answer)
    ? undefined
    : 'write the name of an environment variable, such as SOURCE_API_KEY, and never the key'

export const sessionsFault = (answer: string): string | undefined =>
  /^(?:k(?:eep)?|j(?:oin)?)$/i.test(answer) ? undefined : 'answer keep or join'
