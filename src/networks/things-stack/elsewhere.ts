import { NetworkError } from '../../domain/errors.ts'
import type { HeldElsewhere } from '../../domain/ports.ts'
import type { Api } from './api.ts'
import { arrayOf, objectOf, textOf, valueAt } from './json-tree.ts'
import { listDevices } from './listing.ts'

/** Applications that are looked into: a key of a person may see very many, and this is a courtesy. */
const MOST_APPLICATIONS = 20

const applicationsOf = async (api: Api): Promise<readonly string[]> => {
  const query = { limit: String(MOST_APPLICATIONS + 1), order: 'application_id' }
  const answer = await api.call({ method: 'GET', registry: 'identity-server', path: '/applications', query })
  return arrayOf(objectOf(answer.body)?.['applications'])
    .map((application) => textOf(valueAt(application, 'ids.application_id')))
    .filter((id) => id !== undefined)
    .filter((id) => id !== api.application)
    .slice(0, MOST_APPLICATIONS)
}

/** Nothing where the credential may not look: the Identity Server refuses EUIs that are taken in any case. */
const orNothing = async <T>(look: () => Promise<readonly T[]>): Promise<readonly T[]> => {
  try {
    return await look()
  } catch (error) {
    if (error instanceof NetworkError && error.fault.effect === 'none' && error.code !== 'Interrupted')
      return []
    throw error
  }
}

const devicesOf = async (api: Api): Promise<readonly HeldElsewhere[]> => {
  const held: HeldElsewhere[] = []
  for await (const page of listDevices(api)) {
    held.push(...page.map((device) => ({ ...device, application: api.application })))
  }
  return held
}

/**
 * Devices of the other applications that the credential may see, 20 of them at most. There is no look-up by EUI in
 * the API; a key of one application sees no other (`GET /applications` answers it with nothing).
 */
export const readElsewhere = async (
  api: Api,
  apiOf: (application: string) => Api,
): Promise<readonly HeldElsewhere[]> => {
  const held: HeldElsewhere[] = []
  for (const application of await orNothing(() => applicationsOf(api))) {
    held.push(...(await orNothing(() => devicesOf(apiOf(application)))))
  }
  return held
}
