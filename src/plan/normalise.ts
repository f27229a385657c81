import { isAbsolute, relative, resolve, sep } from 'node:path'
import type { Limits } from '../domain/house-rules.ts'
import { type Digest, parseDevEui, parseJoinEui } from '../domain/identifiers.ts'
import { digestOf } from '../domain/json.ts'
import { canonicalMacVersion, canonicalPhyVersion } from '../domain/lorawan-versions.ts'
import type {
  ApplicationPlan,
  DeviceSettings,
  FileEnd,
  GatewayPlan,
  HttpPlace,
  MigrationPlan,
  Override,
  Policy,
  Rejoin,
  SecretReference,
  Selector,
  ServerUrls,
  SourceEnd,
  ThingsStackEnd,
  TtnV2End,
  Wave,
} from '../domain/migration-plan.ts'
import { originOf } from './addresses.ts'
import { parseWindow } from './change-window.ts'
import { countOrShare } from './count-or-share.ts'
import { parseDuration } from './duration.ts'
import type { IdsFile } from './ids-file.ts'
import type {
  HouseRulesDocument,
  HttpPlaceDocument,
  NetworkDocument,
  OverrideDocument,
  PlanDocument,
  PolicyDocument,
  RejoinDocument,
  SecretDocument,
  SelectorDocument,
  ServersDocument,
  SettingsDocument,
  SourceDocument,
} from './plan-document.ts'

export interface NormaliseContext {
  /** Absolute path of the plan's folder. */
  readonly folder: string
  readonly idsFiles: ReadonlyMap<string, IdsFile>
}

/** Leaves out what is undefined, which optional fields may not be. */
const defined = <T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }

/**
 * A document that passed every check as a plan: durations in milliseconds, addresses as origins, versions
 * as The Things Stack prints them, EUIs and payloads in upper case, paths absolute. Defaults that the schema cannot state are filled in:
 * state and escrow are called after the plan, and lie beside it.
 */
export const normalise = (document: PlanDocument, context: NormaliseContext): MigrationPlan => {
  const { metadata, policy, rollout, verify, escrow } = document
  const absolute = (path: string): string => resolve(context.folder, path)
  return {
    name: metadata.name,
    source: sourceOf(document.source, absolute),
    target: endOf(document.target, absolute),
    devices: {
      include: document.devices.include.map((selector) => selectorOf(selector, context)),
      exclude: document.devices.exclude.map((selector) => selectorOf(selector, context)),
      overrides: document.devices.overrides.map((override) => overrideOf(override, context)),
    },
    policy: { ...policy, rejoin: rejoinOf(policy.rejoin) },
    ...applicationOf(document.application),
    ...(document.gateways === undefined ? {} : { gateways: gatewaysOf(document.gateways) }),
    coverage: document.coverage,
    rollout: rolloutOf(rollout),
    verify: {
      heardWithin: parseDuration(verify.heardWithin) ?? 0,
      ...(verify.expectedInterval === undefined
        ? {}
        : { expectedInterval: parseDuration(verify.expectedInterval) ?? 0 }),
      retireAfter: parseDuration(verify.retireAfter) ?? 0,
    },
    escrow: {
      recipients: escrow.recipients,
      path: absolute(escrow.path ?? `${metadata.name}.escrow`),
      ...(escrow.durable ? { durable: true as const } : {}),
      ...(escrow.http === undefined ? {} : { http: placeOf(escrow.http, absolute) }),
    },
    state: stateOf(document, absolute),
    // Left out where nothing is said, so that the digest of other plans does not change with what can be said.
    ...(document.forbid === undefined || document.forbid.length === 0 ? {} : { forbid: document.forbid }),
    ...(document.limits === undefined || Object.keys(document.limits).length === 0
      ? {}
      : { limits: limitsOf(document.limits) }),
    ...(document.digestKey === undefined ? {} : { digestKey: secretOf(document.digestKey, absolute) }),
  }
}

const applicationOf = (
  application: PlanDocument['application'],
): { readonly application?: ApplicationPlan } => {
  const { formatters, attributes, webhooks, pubSubs, collaborators } = application ?? {}
  const wanted = {
    formatters: formatters === 'carry',
    attributes: attributes === 'carry',
    webhooks: webhooks === 'carry',
    pubSubs: pubSubs === 'carry',
    collaborators: collaborators === 'carry',
  }
  return Object.values(wanted).some(Boolean) ? { application: wanted } : {}
}

const gatewaysOf = ({ include, owner, rename }: NonNullable<PlanDocument['gateways']>): GatewayPlan => ({
  include,
  owner: owner.organization === undefined ? { user: owner.user ?? '' } : { organization: owner.organization },
  rename,
})

const rolloutOf = ({
  waves,
  minHeard,
  window,
  maxFailures,
  ...rollout
}: PlanDocument['rollout']): MigrationPlan['rollout'] => {
  const opens = window === undefined ? undefined : parseWindow(window)
  return {
    ...rollout,
    maxFailures: countOrShare(maxFailures),
    // Left out where nothing is said, as below.
    ...(waves === undefined ? {} : { waves: waves.map(waveOf) }),
    ...(minHeard === '100%' ? {} : { minHeard: Number(minHeard.replace('%', '')) / 100 }),
    ...(opens === undefined || 'hint' in opens ? {} : { window: opens }),
  }
}

const waveOf = (wave: NonNullable<PlanDocument['rollout']['waves']>[number]): Wave => {
  if (typeof wave !== 'object') return countOrShare(wave)
  const { match, attributes = {} } = wave
  return match === undefined ? { attributes } : { match }
}

/** The state file of a plan as it writes it, or as it is called where it writes none. */
export const stateFileOf = (state: PlanDocument['state'], name: string): string =>
  (typeof state === 'string' ? state : state?.file) ?? `${name}.state.jsonl`

const stateOf = (
  { state, metadata }: PlanDocument,
  absolute: (path: string) => string,
): MigrationPlan['state'] => {
  const file = absolute(stateFileOf(state, metadata.name))
  if (state === undefined || typeof state === 'string') return { file }
  const { lockAddress, unlockAddress = lockAddress, updateMethod, lockMethod, unlockMethod } = state.http
  const methods = { updateMethod, lockMethod, unlockMethod }
  return { file, http: { ...placeOf(state.http, absolute), lockAddress, unlockAddress, ...methods } }
}

const placeOf = (place: HttpPlaceDocument, absolute: (path: string) => string): HttpPlace => ({
  address: place.address.replace(/\/+$/, ''),
  ...(place.username === undefined ? {} : { username: place.username }),
  ...(place.password === undefined ? {} : { password: secretOf(place.password, absolute) }),
  ...(place.caFile === undefined ? {} : { caFile: absolute(place.caFile) }),
  insecure: place.insecure,
})

/** What Stack V2 spoke with every device. */
const V2_VERSIONS = { lorawanVersion: 'MAC_V1_0_2', lorawanPhyVersion: 'PHY_V1_0_2_REV_B' }

const sourceOf = (end: SourceDocument, absolute: (path: string) => string): SourceEnd => {
  const { url = '', application = '', apiKey = {} } = end
  switch (end.network) {
    case 'things-stack':
      return {
        ...endOf({ ...end, network: end.network, url, application, apiKey }, absolute),
        ...(hasNoJoinServer(end.servers) ? { joinServer: 'none' as const } : {}),
      }
    case 'ttn-v2':
      return v2Of(end, absolute)
    case 'file':
      return fileOf(end, absolute)
  }
}

const v2Of = (end: SourceDocument, absolute: (path: string) => string): TtnV2End => ({
  network: 'ttn-v2',
  address:
    end.discovery === undefined
      ? { handler: originOf(end.url ?? '') }
      : { discovery: originOf(end.discovery) },
  application: end.application ?? '',
  apiKey: secretOf(end.accessKey ?? {}, absolute),
  defaults: { frequencyPlan: '', ...V2_VERSIONS, ...versionsOf(end) },
  payloadFunctions: end.payloadFunctions,
  ...(end.caFile === undefined ? {} : { caFile: absolute(end.caFile) }),
  insecure: end.insecure,
})

const fileOf = (end: SourceDocument, absolute: (path: string) => string): FileEnd => {
  const { path = '', format, columns } = end
  const defaults = defaultsOf(end)
  return {
    network: 'file',
    path: absolute(path),
    name: path,
    format: format === 'auto' && columns !== undefined ? 'csv' : format,
    ...(columns === undefined ? {} : { columns }),
    ...(defaults === undefined ? {} : { defaults }),
  }
}

const defaultsOf = (end: SourceDocument): FileEnd['defaults'] => {
  const versions = versionsOf(end)
  const joinEui = parseJoinEui(end.defaults?.joinEui ?? '')
  return versions === undefined || joinEui === undefined ? versions : { ...versions, joinEui }
}

const versionsOf = ({ defaults }: SourceDocument): FileEnd['defaults'] =>
  defaults === undefined
    ? undefined
    : {
        frequencyPlan: defaults.frequencyPlan,
        ...defined({
          lorawanVersion: canonical(defaults.lorawanVersion, canonicalMacVersion),
          lorawanPhyVersion: canonical(defaults.lorawanPhyVersion, canonicalPhyVersion),
        }),
      }

const canonical = (text: string | undefined, spell: (text: string) => string): string | undefined =>
  text === undefined ? undefined : spell(text)

const endOf = (end: NetworkDocument, absolute: (path: string) => string): ThingsStackEnd => ({
  network: end.network,
  url: originOf(end.url),
  servers: serversOf(end.servers),
  application: end.application,
  apiKey: secretOf(end.apiKey, absolute),
  ...(end.caFile === undefined ? {} : { caFile: absolute(end.caFile) }),
  insecure: end.insecure,
})

/** Its devices join by one that is no part of it. */
export const hasNoJoinServer = (servers: { readonly join?: string | undefined } | undefined): boolean =>
  servers?.join === 'none'

const serversOf = (servers: ServersDocument): Partial<ServerUrls> =>
  Object.fromEntries(
    Object.entries(servers).flatMap(([name, url]) =>
      url === undefined || url === 'none' ? [] : [[name, originOf(url)]],
    ),
  )

const secretOf = (reference: SecretDocument, absolute: (path: string) => string): SecretReference =>
  reference.env === undefined ? { file: absolute(reference.file ?? '') } : { env: reference.env }

const selectorOf = (selector: SelectorDocument, { folder, idsFiles }: NormaliseContext): Selector => {
  const { all, ids, idsFile, match, attributes } = selector
  const file =
    idsFile === undefined
      ? undefined
      : { path: resolve(folder, idsFile), ids: idsFiles.get(idsFile)?.ids ?? [] }
  return defined({ all, ids, idsFile: file, match, attributes })
}

const overrideOf = (override: OverrideDocument, context: NormaliseContext): Override => {
  const { policy = {}, set = {}, ...selector } = override
  return { select: selectorOf(selector, context), policy: partialPolicyOf(policy), set: settingsOf(set) }
}

const partialPolicyOf = ({ rejoin, ...policy }: Partial<PolicyDocument>): Partial<Policy> => ({
  ...defined(policy),
  ...(rejoin === undefined ? {} : { rejoin: rejoinOf(rejoin) }),
})

/** What has no effect with its trigger is left out; the payload is in upper case. */
export const rejoinOf = ({ trigger, fPort, payload = '', confirmed = false }: RejoinDocument): Rejoin =>
  trigger === 'source-downlink'
    ? { trigger, fPort: fPort ?? 0, payload: payload.toUpperCase(), confirmed }
    : { trigger }

const settingsOf = ({ devEui, joinEui, ...set }: SettingsDocument): DeviceSettings => ({
  ...defined({
    ...set,
    devEui: devEui === undefined ? undefined : parseDevEui(devEui),
    joinEui: joinEui === undefined ? undefined : parseJoinEui(joinEui),
  }),
  ...(set.lorawanVersion === undefined ? {} : { lorawanVersion: canonicalMacVersion(set.lorawanVersion) }),
  ...(set.lorawanPhyVersion === undefined
    ? {}
    : { lorawanPhyVersion: canonicalPhyVersion(set.lorawanPhyVersion) }),
})

export const limitsOf = ({ devices, deletes }: HouseRulesDocument['limits'] = {}): Limits => ({
  ...(devices === undefined ? {} : { devices: countOrShare(devices) }),
  ...(deletes === undefined ? {} : { deletes: countOrShare(deletes) }),
})

/**
 * Digest over what a plan means: equal for plans that differ in comments, order of fields, spelling of
 * versions or defaults that are written out, and wherever the plan lies. Ids of id files are part of it,
 * their paths are not; other paths are, relative to the plan's folder.
 */
export const digestOfPlan = (plan: MigrationPlan, folder: string): Digest => {
  const portable = (path: string): string => {
    const near = relative(folder, path).split(sep).join('/')
    return near === '..' || near.startsWith('../') || isAbsolute(near) ? '(elsewhere)' : near
  }
  const reference = (secret: SecretReference): SecretReference =>
    'env' in secret ? secret : { file: portable(secret.file) }
  const end = (value: SourceEnd): unknown =>
    value.network === 'file'
      ? { ...value, path: portable(value.path) }
      : {
          ...value,
          apiKey: reference(value.apiKey),
          ...(value.caFile === undefined ? {} : { caFile: portable(value.caFile) }),
        }
  const place = (value: HttpPlace): unknown => ({
    ...value,
    ...(value.password === undefined ? {} : { password: reference(value.password) }),
    ...(value.caFile === undefined ? {} : { caFile: portable(value.caFile) }),
  })
  const selector = ({ ids = [], idsFile, ...rest }: Selector): unknown => ({
    ...rest,
    ids: [...new Set([...ids, ...(idsFile?.ids ?? [])])].sort(),
  })
  return digestOf({
    ...plan,
    source: end(plan.source),
    target: end(plan.target),
    devices: {
      include: plan.devices.include.map(selector),
      exclude: plan.devices.exclude.map(selector),
      overrides: plan.devices.overrides.map((override) => ({
        ...override,
        select: selector(override.select),
      })),
    },
    escrow: {
      ...plan.escrow,
      path: portable(plan.escrow.path),
      ...(plan.escrow.http === undefined ? {} : { http: place(plan.escrow.http) }),
    },
    state:
      plan.state.http === undefined
        ? portable(plan.state.file)
        : { file: portable(plan.state.file), http: place(plan.state.http) },
    ...(plan.digestKey === undefined ? {} : { digestKey: reference(plan.digestKey) }),
  })
}
