import { isSameDeployment } from '../domain/hosts.ts'
import type { MigrationPlan, NetworkEnd, SourceEnd } from '../domain/migration-plan.ts'
import type { NetworkIdentity, NetworkPort } from '../domain/ports.ts'
import type { Secret } from '../domain/secret.ts'
import type { Environment, Wait } from '../http/index.ts'
import { createFile } from '../networks/file/index.ts'
import { createThingsStack, serverUrls } from '../networks/things-stack/index.ts'
import { createTtnV2, v2Host } from '../networks/ttn-v2/index.ts'
import { readCa } from './ca-file.ts'

export interface EndOptions {
  /** Of every network; a file has none. */
  readonly apiKey?: Secret
  readonly maxConcurrency: number
  readonly env: Environment
  readonly signal?: AbortSignal
  readonly onWait?: (wait: Wait) => void
}

/**
 * The network of one end of a plan; asks nothing of it yet.
 * @throws FerryError for a key, a CA file or an address that can't be used at all
 */
export const openEnd = async (end: SourceEnd, { apiKey, ...options }: EndOptions): Promise<NetworkPort> => {
  if (end.network === 'file') return createFile({ end, ...options })
  const ca = end.caFile === undefined ? {} : { ca: await readCa(end.caFile) }
  if (apiKey === undefined) throw new Error(`no key for ${end.network}`)
  return end.network === 'ttn-v2'
    ? createTtnV2({ end, accessKey: apiKey, ...options, ...ca })
    : createThingsStack({ end, apiKey, ...options, ...ca })
}

/** As the network's port tells it, without asking for a key. */
export const identityOfEnd = (end: SourceEnd): NetworkIdentity =>
  end.network === 'file'
    ? { network: 'file', host: 'file', application: end.name }
    : { network: end.network, host: hostOfEnd(end), application: end.application }

const hostOfEnd = (end: NetworkEnd): string =>
  end.network === 'ttn-v2' ? v2Host(end) : new URL(serverUrls(end).network).host

/** For people: `building-a on eu1.cloud.thethings.network`. */
export const nameOfEnd = (end: SourceEnd): string =>
  end.network === 'file' ? `the file ${end.name}` : `${end.application} on ${hostOfEnd(end)}`

/** Whether EUIs are unique over both applications of a plan. A Stack V2 is a deployment of its own, a file none. */
export const isWithinOneDeployment = ({ source, target }: MigrationPlan): boolean =>
  source.network === 'things-stack' && isSameDeployment(serverUrls(source), serverUrls(target))

/** Names of the hosts that may stand for an end's own Join Server in what its devices say; undefined where it has none. */
export const joinHostsOf = (end: SourceEnd): readonly string[] | undefined => {
  if (end.network !== 'things-stack') return []
  if (end.joinServer === 'none') return undefined
  // It may be apart from the Network Server, and be known by the name of either.
  const { join, network } = serverUrls(end)
  return [join, network].map((url) => new URL(url).hostname)
}
