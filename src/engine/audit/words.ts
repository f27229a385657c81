import type { Registration } from '../../domain/audit.ts'
import type { Registry } from '../../domain/device.ts'

/** Words that findings of several kinds share. */

const NAMES: Readonly<Record<Registry, string>> = {
  'identity-server': 'Identity Server',
  'join-server': 'Join Server',
  'application-server': 'Application Server',
  'network-server': 'Network Server',
}

const SHORT: Readonly<Record<Registry, string>> = {
  'identity-server': 'IS',
  'join-server': 'JS',
  'application-server': 'AS',
  'network-server': 'NS',
}

/** What is lost with the record of a registry, as people look for it. */
const LOST: Readonly<Record<Registry, readonly string[]>> = {
  'identity-server': ['name', 'attributes', 'listing'],
  'join-server': ['root keys', 'nonces'],
  'application-server': ['AppSKey', 'payload formatters'],
  'network-server': ['settings', 'network session', 'counters'],
}

/** `one`, `one and two`, `one, two and three` */
export const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`

/** `Join Server, Application Server and Network Server` */
export const registryNames = (registries: readonly Registry[]): string =>
  listed(registries.map((registry) => NAMES[registry]))

/** `JS, AS and NS` */
export const shortNames = (registries: readonly Registry[]): string =>
  listed(registries.map((registry) => SHORT[registry]))

/** `AppSKey and payload formatters` */
export const lostWith = (registries: readonly Registry[]): string =>
  listed(registries.flatMap((registry) => LOST[registry]))

const PREFIX: Readonly<Record<Registry, string>> = {
  'identity-server': '',
  'join-server': '/js',
  'application-server': '/as',
  'network-server': '/ns',
}

/** The order in which registries are deleted: the Identity Server last, so that what is left can be found. */
const DELETE_ORDER: readonly Registry[] = [
  'application-server',
  'network-server',
  'join-server',
  'identity-server',
]

/** `/api/v3/js/applications/meters/devices/ID` */
export const route = (registry: Registry, application: string): string =>
  `/api/v3${PREFIX[registry]}/applications/${application}/devices/ID`

/**
 * How to delete it by hand. The command line tool of The Things Stack asks the Identity Server first, so it deletes
 * no orphan: for one, each registry that holds it has a route.
 */
export const deletion = ({ held }: Pick<Registration, 'held'>, application: string): string =>
  held.includes('identity-server')
    ? `ttn-lw-cli end-devices delete ${application} ID`
    : DELETE_ORDER.filter((registry) => held.includes(registry))
        .map((registry) => `DELETE ${route(registry, application)}`)
        .join(', then ')
