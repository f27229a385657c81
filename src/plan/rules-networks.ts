import { isLoopback } from '../domain/hosts.ts'
import { type Address, parseAddress, parsePlace, relate, sharesIdentityServer } from './addresses.ts'
import { error, type Finding, warning } from './finding.ts'
import { addressesAt, HTTP_PLACES, placeAt } from './http-places.ts'
import type { Path } from './located.ts'
import { hasNoJoinServer } from './normalise.ts'
import { policyScopes, type Rule, type RuleContext } from './rule.ts'
import { shown } from './shown.ts'

const ENDS = ['source', 'target'] as const
const SERVERS = ['identity', 'join', 'network', 'application'] as const

interface NamedAddress {
  readonly path: Path
  readonly text: string
}

const addressesOf = (context: RuleContext, end: 'source' | 'target'): readonly NamedAddress[] => {
  const network = context.draft[end]
  const named = SERVERS.map((name) => ({ path: [end, 'servers', name], text: network?.servers?.[name] }))
  // Only a source may be without a Join Server: a target has to take root keys.
  const isNone = end === 'source' && hasNoJoinServer(network?.servers)
  const servers = named.filter(({ path }) => !isNone || path.at(-1) !== 'join')
  const handler = [
    { path: [end, 'url'], text: network?.url },
    { path: [end, 'discovery'], text: end === 'source' ? context.draft.source?.discovery : undefined },
  ]
  return [...handler, ...servers].flatMap(({ path, text }) => (text === undefined ? [] : [{ path, text }]))
}

/** Addresses that are reached alike: those of a network, or of a place on another server. */
interface Reached {
  readonly path: Path
  readonly addresses: readonly NamedAddress[]
  readonly parse: (text: string) => Address
  readonly insecure: boolean
  readonly caFile: string | undefined
}

const reachedBy = (context: RuleContext): readonly Reached[] => [
  ...ENDS.map((end) => ({
    path: [end],
    addresses: addressesOf(context, end),
    parse: parseAddress,
    insecure: context.draft[end]?.insecure === true,
    caFile: context.draft[end]?.caFile,
  })),
  ...HTTP_PLACES.map((at) => ({
    path: at,
    addresses: addressesAt(context.draft, at),
    parse: parsePlace,
    insecure: placeAt(context.draft, at)?.insecure === true,
    caFile: placeAt(context.draft, at)?.caFile,
  })),
]

const addresses: Rule = {
  codes: ['InvalidUrl', 'LiteralSecret'],
  because: 'an address is scheme, host and port; paths are added by registry, and credentials are secrets',
  check: (context) =>
    reachedBy(context).flatMap(({ addresses: named, parse }) =>
      named.flatMap(({ path, text }) => {
        const address = parse(text)
        if ('url' in address) return []
        // a path or query may hold a key, so of what is an address only the host is shown
        const label = URL.canParse(text) ? shown(new URL(text).host) : shown(text)
        return [
          error({ code: address.code, message: `${label} ${address.message}`, hint: address.hint, path }),
        ]
      }),
    ),
}

const transport: Rule = {
  codes: ['PlainHttp', 'InsecureNotLoopback'],
  because: 'keys cross these connections; only on this machine may they do so unencrypted or unchecked',
  check: (context) =>
    reachedBy(context).flatMap(({ path: at, insecure, addresses: named, parse }) =>
      named.flatMap(({ path, text }): Finding[] => {
        const address = parse(text)
        if (!('url' in address)) return []
        const { url } = address
        const local = isLoopback(url.hostname)
        if (insecure && !local) {
          const message = `insecure: true is for networks on this machine, and ${url.host} is another`
          const hint = 'leave insecure out; for a certificate of your own, name its authority by caFile'
          return [error({ code: 'InsecureNotLoopback', message, hint, path: [...at, 'insecure'] })]
        }
        if (insecure || url.protocol === 'https:') return []
        const message = `${url.origin} is not encrypted`
        const hint = local ? 'write insecure: true beside it' : `write https://${url.host}`
        return [error({ code: 'PlainHttp', message, hint, path })]
      }),
    ),
}

const caFile: Rule = {
  codes: ['WithoutEffect'],
  because: 'with insecure no certificate is checked',
  check: (context) =>
    reachedBy(context).flatMap((reached) => {
      if (!reached.insecure || reached.caFile === undefined) return []
      const message = 'caFile has no effect with insecure: true'
      const path = [...reached.path, 'caFile']
      return [warning({ code: 'WithoutEffect', message, hint: 'leave one of them out', path })]
    }),
}

const deployments: Rule = {
  codes: ['SourceIsTarget', 'SameDeployment', 'SameHost'],
  cell: 'A4c',
  because: 'EUIs are unique within a deployment: the device has to be deleted there before it can be created',
  check: (context) => {
    const { source, target } = context.draft
    const relation = relate(source, target)
    const path: Path = ['target', 'url']
    const stopFirst = stopFirstAt(context, path)
    switch (relation.is) {
      case 'apart':
        return []
      case 'same-host': {
        if (stopFirst.length === 0) return []
        const message = `source and target are both on ${relation.host}, probably one deployment`
        const hint = 'check that they are two; within one, EUIs are unique: write handover: delete-first'
        return [warning({ code: 'SameHost', message, hint, path })]
      }
      case 'same-deployment':
        return stopFirst.map((at) => sameDeployment(relation.deployment, at))
      case 'same-address': {
        const application = target?.application
        if (application === undefined || application !== source?.application) {
          return stopFirst.map((at) => sameDeployment('the same address', at))
        }
        const message = `source and target are the same application ${shown(application)}`
        const hint = 'write the network and application that the devices move to'
        return [error({ code: 'SourceIsTarget', message, hint, path: ['target', 'application'] })]
      }
    }
  },
}

/** Where the policies say stop-first: an override where it says so itself, and the plan at the given path. */
const stopFirstAt = (context: RuleContext, ofPlan: Path): readonly Path[] =>
  policyScopes(context).flatMap(({ path, policy, own }, index) => {
    if (policy.handover === 'delete-first') return []
    const at = [...path, 'handover']
    // one that is wrong has been reported
    if (policy.handover === undefined && context.written(at)) return []
    if (index === 0) return [ofPlan]
    return own.includes('handover') ? [at] : []
  })

const sameDeployment = (deployment: string, path: Path): Finding =>
  error({
    code: 'SameDeployment',
    message: `source and target are one deployment (${deployment}), and the handover is stop-first`,
    hint: 'write handover: delete-first; EUIs are unique within a deployment',
    path,
  })

const apiKeys: Rule = {
  codes: ['SameApiKey'],
  because: 'an API key belongs to one Identity Server',
  check: ({ draft: { source, target } }) => {
    if (sharesIdentityServer(source, target)) return []
    const [from, to] = [source?.apiKey, target?.apiKey]
    const same = (a: string | undefined, b: string | undefined): boolean => a !== undefined && a === b
    if (!same(from?.env, to?.env) && !same(from?.file, to?.file)) return []
    const message = 'source and target name the same API key'
    const hint = 'give each network a key of its own; a key is valid on the network that made it'
    return [warning({ code: 'SameApiKey', message, hint, path: ['target', 'apiKey'] })]
  },
}

const users: Rule = {
  codes: ['MissingField'],
  because: 'HTTP Basic authentication is a user and a password: one of them alone is not sent',
  check: ({ written }) =>
    HTTP_PLACES.flatMap((at) => {
      const hasUser = written([...at, 'username'])
      if (hasUser === written([...at, 'password'])) return []
      const [missing, hint] = !hasUser
        ? ['username', 'write username: NAME']
        : ['password', 'write password: { env: NAME_OF_A_VARIABLE }']
      return [error({ code: 'MissingField', message: `"${missing}" is missing`, hint, path: at })]
    }),
}

export const NETWORK_RULES: readonly Rule[] = [addresses, transport, caFile, users, deployments, apiKeys]
