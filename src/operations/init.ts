import type { Diagnostic } from '../domain/diagnostic.ts'
import type { SourceEnd } from '../domain/migration-plan.ts'
import type { Secret } from '../domain/secret.ts'
import { refuseErrors } from '../engine/planning/preflight.ts'
import { lookAtFile } from '../networks/file/index.ts'
import { openEnd } from './ends.ts'
import type { Host } from './host.ts'

export { lookAtFile }

/** Requests at once while looking: few, since nobody has asked for more yet. */
const CONCURRENCY = 8

export interface Inspected {
  readonly host: string
  readonly devices: number
  readonly warnings: readonly Diagnostic[]
}

/**
 * Looks at an application that a plan is to be written for: whether it exists, whether the key may migrate it, how
 * many devices it has. Writes nothing.
 * @throws FerryError kind `credentials` for a key or right that is missing, `plan-invalid` for an application or
 * registry that is not there and a CA file that can't be read. NetworkError where the network does not answer.
 */
export const inspectApplication = async (
  end: SourceEnd,
  apiKey: Secret | undefined,
  side: 'source' | 'target',
  host: Host,
): Promise<Inspected> => {
  const network = await openEnd(end, {
    ...(apiKey === undefined ? {} : { apiKey }),
    maxConcurrency: CONCURRENCY,
    env: host.env,
    ...(host.signal === undefined ? {} : { signal: host.signal }),
  })
  try {
    const findings = await network.preflight(side === 'source' ? 'read-source' : 'read-target')
    refuseErrors(findings)
    let devices = 0
    for await (const page of network.list()) devices += page.length
    return { host: network.identity.host, devices, warnings: findings }
  } finally {
    await network.close()
  }
}
