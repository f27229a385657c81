import { deploymentOf, hostKey, identityOriginOf, isLoopback } from '../domain/hosts.ts'
import type { Draft } from './plan-document.ts'

/** What is wrong with an address, and what to write; the address is not part of it where it holds credentials. */
interface AddressFault {
  readonly code: 'InvalidUrl' | 'LiteralSecret'
  readonly message: string
  readonly hint: string
}

export type Address = { readonly url: URL } | AddressFault

/** `eu1.cloud.thethings.industries` is no tenant's host. */
const CLOUD_WITHOUT_TENANT = /^[a-z0-9]+\.cloud\.thethings\.industries$/

/** An address of a network: scheme, host and port, and nothing else. */
export const parseAddress = (text: string): Address => {
  const address = parsePlace(text)
  if (!('url' in address)) return address
  const { url } = address
  if (url.pathname !== '/' || url.search !== '' || /[?#]$/.test(text)) {
    return { code: 'InvalidUrl', message: 'has a path or query', hint: `write ${url.origin}` }
  }
  if (CLOUD_WITHOUT_TENANT.test(url.hostname)) {
    const hint = `write your tenant's host, such as https://example.${url.hostname}`
    return { code: 'InvalidUrl', message: 'names a region of the Cloud without a tenant', hint }
  }
  return address
}

const SECRET_PARAMETER = /token|secret|passw|api.?key|signature|credential/i

/** An address that may have path and query. */
export const parsePlace = (text: string): Address => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^[a-z]+:\/\//i.test(text)) {
    const host = /^[A-Za-z0-9.-]+(?::\d{1,5})?(?:\/.*)?$/.test(text) ? text.split('/')[0] : undefined
    const example = host === undefined ? 'https://eu1.cloud.thethings.network' : `https://${host}`
    return {
      code: 'InvalidUrl',
      message: 'is not an address',
      hint: `write scheme and host, such as ${example}`,
    }
  }
  if (url.username !== '' || url.password !== '') {
    const hint = `write ${url.protocol}//${url.host}, and name what is secret by reference`
    return { code: 'LiteralSecret', message: 'holds credentials', hint }
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    const message = `has the scheme ${url.protocol.slice(0, 12)}`
    return { code: 'InvalidUrl', message, hint: 'write https://, or http:// for a network on this machine' }
  }
  if ([...url.searchParams.keys()].some((name) => SECRET_PARAMETER.test(name))) {
    const hint = 'give user and password by username and password, the latter by reference'
    return { code: 'LiteralSecret', message: 'holds what may be a secret in its query', hint }
  }
  if (url.hash !== '')
    return { code: 'InvalidUrl', message: 'has a fragment', hint: 'leave out what follows #' }
  return { url }
}

/** Scheme, host and port of an address that was checked: lower case, without the scheme's own port. */
export const originOf = (text: string): string => {
  const address = parseAddress(text)
  return 'url' in address ? address.url.origin : text
}

const REGISTRIES = ['identity', 'join', 'network', 'application'] as const

const addressesOf = (end: Draft['source']): readonly (URL | undefined)[] =>
  REGISTRIES.map((registry) => {
    const address = parseAddress(end?.servers?.[registry] ?? end?.url ?? '')
    return 'url' in address ? address.url : undefined
  })

export type Relation =
  /** Same registries. */
  | { readonly is: 'same-address' }
  | { readonly is: 'same-deployment'; readonly deployment: string }
  /** Same host under different ports, not on this machine: probably two doors of one deployment. */
  | { readonly is: 'same-host'; readonly host: string }
  | { readonly is: 'apart' }

/** How two networks are related, as far as their addresses tell. */
export const relate = (source: Draft['source'], target: Draft['target']): Relation => {
  const from = addressesOf(source)
  const to = addressesOf(target)
  const pairs = from.flatMap((url, index) => {
    const other = to[index]
    return url === undefined || other === undefined ? [] : [[url, other] as const]
  })
  if (pairs.length === REGISTRIES.length && pairs.every(([a, b]) => hostKey(a) === hostKey(b))) {
    return { is: 'same-address' }
  }
  for (const [a, b] of pairs) {
    if (deploymentOf(a) === deploymentOf(b)) return { is: 'same-deployment', deployment: deploymentOf(a) }
  }
  for (const [a, b] of pairs) {
    if (a.hostname === b.hostname && !isLoopback(a.hostname)) return { is: 'same-host', host: a.hostname }
  }
  return { is: 'apart' }
}

/** Whether source and target are certainly one deployment, within which EUIs are unique. */
export const isOneDeployment = (source: Draft['source'], target: Draft['target']): boolean => {
  const { is } = relate(source, target)
  return is === 'same-address' || is === 'same-deployment'
}

/** Whether both are served by one Network Server, so that a DevAddr stays with the gateways that hear it. */
export const sharesNetworkServer = (source: Draft['source'], target: Draft['target']): boolean => {
  const [from, to] = [source, target].map((end) => parseAddress(end?.servers?.network ?? end?.url ?? ''))
  return from !== undefined && to !== undefined && 'url' in from && 'url' in to
    ? hostKey(from.url) === hostKey(to.url)
    : false
}

/** Whether API keys of one network are those of the other: the Identity Server holds them, one for each Cloud tenant. */
export const sharesIdentityServer = (source: Draft['source'], target: Draft['target']): boolean => {
  const [from, to] = [identityOf(source), identityOf(target)]
  return from !== undefined && from === to
}

const identityOf = (end: Draft['source']): string | undefined => {
  const named = end?.servers?.identity
  const address = parseAddress(named ?? end?.url ?? '')
  if (!('url' in address)) return undefined
  return hostKey(named === undefined ? new URL(identityOriginOf(address.url)) : address.url)
}
