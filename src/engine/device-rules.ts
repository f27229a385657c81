import type { DeviceRecord, Registry } from '../domain/device.ts'
import type { Diagnostic } from '../domain/diagnostic.ts'
import { type DevAddrPrefix, devAddrIn, parseDevAddr } from '../domain/identifiers.ts'
import type { Route } from '../domain/journal.ts'
import type { MigrationPlan, Policy } from '../domain/migration-plan.ts'
import type { NetworkFacts } from '../domain/ports.ts'
import { hasPendingApplicationDownlink, pendingRequests } from './mac-state.ts'
import {
  field,
  hasPendingSession,
  hasSession,
  isTrue,
  macState,
  numberField,
  secretField,
  textField,
} from './records.ts'
import { activationOf, keepsKeys, keepsSession, profileOf, versionAtLeast } from './route.ts'

const IS = 'identity-server'
const JS = 'join-server'
const NS = 'network-server'
const AS = 'application-server'

/** What a rule may look at. */
export interface RuleInput {
  readonly source: DeviceRecord
  /** Undefined where the policy leaves no way for the device. */
  readonly route: Route | undefined
  readonly policy: Policy
  readonly coverage: MigrationPlan['coverage']['gateways']
  readonly targetFacts: NetworkFacts
  /** Host of the source's Join Server, to tell an external one. */
  readonly sourceHost: string
  /** The crossing has begun: its course is kept, whatever the policy has become. */
  readonly isUnderWay: boolean
  /** The source is silent because we muted it. */
  readonly mutedByUs: boolean
  /** The frequency plan as it will be on the target, and the versions. */
  readonly frequencyPlan: string
  readonly lorawanVersion: string
  readonly lorawanPhyVersion: string
  /** Undefined where the queue can't be seen. */
  readonly queuedDownlinks: number | undefined
}

type Verdict = Omit<Diagnostic, 'subject'> & { readonly path?: string }

interface DeviceRule {
  /** Cells of table A, or what else the rule comes from. */
  readonly from: string
  readonly check: (input: RuleInput) => Verdict | undefined
}

const error = (code: string, message: string, hint: string, path?: string): Verdict => ({
  code,
  severity: 'error',
  message,
  hint,
  ...(path === undefined ? {} : { path }),
})
const warning = (code: string, message: string, hint?: string): Verdict => ({
  code,
  severity: 'warning',
  message,
  ...(hint === undefined ? {} : { hint }),
})
const note = (code: string, message: string): Verdict => ({ code, severity: 'note', message })

const names: Readonly<Record<Registry, string>> = {
  [IS]: 'Identity Server',
  [JS]: 'Join Server',
  [NS]: 'Network Server',
  [AS]: 'Application Server',
}

/** An error stops at the first that is found (the later ones would follow from it); warnings and notes are all told. */
const BLOCKING: readonly DeviceRule[] = [
  {
    from: 'half-registered devices',
    check: ({ source, sourceHost }) => {
      const missing = missingRegistries(source, sourceHost)
      if (missing.length === 0) return undefined
      const list = missing.map((registry) => names[registry]).join(' and ')
      return error(
        'HalfRegistered',
        `the source's ${list} ${missing.length === 1 ? 'does' : 'do'} not know the device`,
        `register it on the source's ${list}, or exclude it`,
      )
    },
  },
  {
    from: 'multicast groups have a handover of their own',
    check: ({ source }) =>
      activationOf(source) === 'multicast'
        ? error(
            'MulticastNotBuilt',
            'a multicast group can not be moved yet',
            'exclude it, and move it by hand after its members',
          )
        : undefined,
  },
  {
    from: 'mutedSource',
    check: ({ source, mutedByUs }) =>
      !mutedByUs && field(source, NS, 'mac_settings.schedule_downlinks') === false
        ? error(
            'SourceMuted',
            'the source was muted before (schedule_downlinks is false), by a person or another tool',
            'find out why; unset schedule_downlinks on the source to migrate it, or exclude it',
            'mac_settings.schedule_downlinks',
          )
        : undefined,
  },
  {
    from: 'A6c, A6d: an ABP device keeps its session, is reset, or is re-programmed',
    check: ({ source, policy, isUnderWay }) =>
      !isUnderWay && activationOf(source) === 'abp' && !policy.persistSession && !policy.resetFrameCounters
        ? error(
            'AbpNeedsDecision',
            'an ABP device can not join anew',
            'set policy.persistSession: true to keep its session, or policy.resetFrameCounters: true if it will be reset',
          )
        : undefined,
  },
  {
    from: 'A6c: counters start again on ABP devices below LoRaWAN 1.0.4 only',
    check: ({ source, policy, isUnderWay }) => {
      if (isUnderWay || !policy.resetFrameCounters) return undefined
      const why =
        activationOf(source) === 'otaa'
          ? 'an OTAA device resets its counters by joining'
          : versionAtLeast(profileOf(source).lorawanVersion, 'MAC_V1_0_4')
            ? 'from LoRaWAN 1.0.4 on an ABP device may not reset its counters'
            : undefined
      return why === undefined
        ? undefined
        : error('ResetNotPossible', why, 'set policy.resetFrameCounters: false in an override for it')
    },
  },
  {
    from: 'keys that were cleared',
    check: ({ source }) => {
      if (activationOf(source) !== 'otaa' || source.registries[JS] === undefined) return undefined
      const keys = ['root_keys.app_key.key', 'root_keys.nwk_key.key'].map((path) =>
        secretField(source, JS, path),
      )
      if (keys.every((key) => key === undefined))
        return error(
          'RootKeysMissing',
          "the source's Join Server holds no root key",
          'restore its root keys on the source, or exclude it',
          'root_keys',
        )
      return keys.some((key) => key !== undefined && /^0+$/.test(key.reveal()))
        ? error(
            'RootKeysCleared',
            'a root key is all zeros: it was handed over or cleared before',
            'look where it was moved to, or exclude it',
            'root_keys',
          )
        : undefined
    },
  },
  {
    from: 'a LoRaWAN 1.1 device joins with NwkKey',
    check: ({ source, lorawanVersion }) =>
      activationOf(source) === 'otaa' &&
      source.registries[JS] !== undefined &&
      versionAtLeast(lorawanVersion, 'MAC_V1_1') &&
      secretField(source, JS, 'root_keys.nwk_key.key') === undefined
        ? error(
            'NwkKeyMissing',
            'a LoRaWAN 1.1 device needs a NwkKey to join',
            'add it on the source, or correct the LoRaWAN version',
            'root_keys.nwk_key.key',
          )
        : undefined,
  },
  {
    from: 'a pending session is left alone until it is promoted or gone',
    // A source that we muted has to be started again first: the crossing goes on to do so.
    check: ({ source, route, policy, mutedByUs }) =>
      policy.persistSession &&
      !mutedByUs &&
      activationOf(source) === 'otaa' &&
      hasPendingSession(source) &&
      route !== undefined
        ? error(
            'PendingSession',
            'a join was accepted that the device has not confirmed by an uplink',
            'wait for its next uplink, or set policy.persistSession: false in an override for it',
            'pending_session',
          )
        : undefined,
  },
  {
    from: 'session keys',
    check: (input) =>
      input.route !== undefined && keepsKeys(input.route) ? sessionFault(input.source) : undefined,
  },
  {
    from: 'A7c, A7d: a kept DevAddr is routed to the network that owns its block',
    check: ({ source, route, coverage, targetFacts, isUnderWay }) => {
      if (isUnderWay) return undefined
      if (route === undefined || !keepsKeys(route) || coverage === 'on-target' || coverage === 'moving-now')
        return undefined
      const devAddr = textField(source, NS, 'session.dev_addr')
      if (devAddr === undefined || insidePrefixes(devAddr, targetFacts.devAddrPrefixes)) return undefined
      const why = coverage === 'packet-broker' ? ', and Packet Broker routes data by DevAddr' : ''
      return error(
        'DevAddrNotCovered',
        `DevAddr ${devAddr} is outside the target's block${why}`,
        'say coverage.gateways: on-target or moving-now when its gateways are or will be on the target, or have it join anew',
        'session.dev_addr',
      )
    },
  },
  {
    from: "the target's frequency plans",
    check: ({ frequencyPlan, targetFacts }) => {
      const plans = targetFacts.frequencyPlans
      if (plans.length === 0 || plans.some((plan) => plan.id === frequencyPlan)) return undefined
      const near = plans.map((plan) => plan.id).filter((id) => id.slice(0, 2) === frequencyPlan.slice(0, 2))
      return error(
        'UnknownFrequencyPlan',
        `the target has no frequency plan ${frequencyPlan || '(none)'}`,
        `set frequencyPlan in an override${near.length > 0 ? `, to one of ${near.slice(0, 4).join(', ')}` : ''}`,
        'frequency_plan_id',
      )
    },
  },
  {
    from: "a session's channels are of one band",
    check: ({ source, route, frequencyPlan, targetFacts }) => {
      if (route === undefined || !keepsSession(route)) return undefined
      const bandOf = (id: string): string | undefined =>
        targetFacts.frequencyPlans.find((plan) => plan.id === id)?.band
      const was = bandOf(profileOf(source).frequencyPlan)
      const willBe = bandOf(frequencyPlan)
      return was !== undefined && willBe !== undefined && was !== willBe
        ? error(
            'BandMismatch',
            `a running session of band ${was} can not go on in band ${willBe}`,
            'have it join anew, or keep its frequency plan',
            'frequency_plan_id',
          )
        : undefined
    },
  },
  {
    from: "the target's PHY versions",
    check: ({ frequencyPlan, lorawanPhyVersion: phy, targetFacts }) => {
      const band = targetFacts.frequencyPlans.find((plan) => plan.id === frequencyPlan)?.band
      const known = band === undefined ? undefined : targetFacts.phyVersions[band]
      return known === undefined || known.includes(phy)
        ? undefined
        : error(
            'UnknownPhyVersion',
            `the target does not know ${phy} in band ${band}`,
            `set lorawanPhyVersion in an override, to one of ${known.slice(-4).join(', ')}`,
            'lorawan_phy_version',
          )
    },
  },
  {
    from: 'JoinNonce has 24 bits',
    check: ({ source, route }) =>
      route !== undefined &&
      activationOf(source) === 'otaa' &&
      (numberField(source, JS, 'last_join_nonce') ?? 0) >= 0xffffff
        ? error(
            'JoinNonceExhausted',
            'its last JoinNonce is the highest there is: it can not join again with these keys',
            'give it new root keys',
            'last_join_nonce',
          )
        : undefined,
  },
]

const TELLING: readonly DeviceRule[] = [
  {
    from: 'A3c',
    check: ({ source, policy }) =>
      policy.persistSession &&
      activationOf(source) === 'otaa' &&
      !hasSession(source) &&
      !hasPendingSession(source)
        ? note(
            'NeverJoined',
            'it never joined on the source, so there is no session to keep: it joins on the target',
          )
        : undefined,
  },
  {
    from: 'external Join Servers',
    check: ({ source }) =>
      activationOf(source) === 'otaa' && source.registries[JS] === undefined
        ? warning(
            'ExternalJoinServer',
            `its Join Server is ${textField(source, IS, 'join_server_address') ?? 'elsewhere'}`,
            'point the Join Server at the target network',
          )
        : undefined,
  },
  {
    from: 'downlinks that are lost',
    check: ({ queuedDownlinks }) =>
      queuedDownlinks !== undefined && queuedDownlinks > 0
        ? warning(
            'QueuedDownlinksLost',
            `${queuedDownlinks} queued downlink${queuedDownlinks === 1 ? '' : 's'} stay${queuedDownlinks === 1 ? 's' : ''} on the source`,
            'send them again on the target, or wait until the queue is empty',
          )
        : undefined,
  },
  {
    from: 'downlinks that are lost',
    check: ({ source, route }) =>
      route !== undefined && keepsSession(route) && hasPendingApplicationDownlink(source)
        ? warning(
            'PendingDownlinkLost',
            'a confirmed application downlink waits for its answer and is not carried',
          )
        : undefined,
  },
  {
    from: 'pending MAC requests are carried',
    check: ({ source, route }) => {
      const requests = route !== undefined && keepsSession(route) ? pendingRequests(source) : []
      return requests.length > 0
        ? note(
            'PendingMacRequests',
            `pending MAC requests are carried (${requests.join(', ')}): the device may have applied them already`,
          )
        : undefined
    },
  },
  {
    from: 'frame 0',
    check: ({ source, route }) =>
      route === 'session-kept' &&
      (numberField(source, NS, 'session.last_f_cnt_up') ?? 0) === 0 &&
      !Array.isArray(macState(source)?.['recent_uplinks'])
        ? note(
            'FirstFrameLost',
            'its uplink counter is 0, and the target accepts frames from 1 on: a frame 0 would be lost',
          )
        : undefined,
  },
  {
    from: '16-bit counters',
    check: ({ source, route }) =>
      route !== undefined &&
      keepsSession(route) &&
      field(source, NS, 'mac_settings.supports_32_bit_f_cnt') === false
        ? note('SixteenBitCounters', 'its frame counter has 16 bits and rolls over at 65535')
        : undefined,
  },
  {
    from: '32-bit counters',
    check: ({ source }) =>
      (numberField(source, NS, 'session.last_f_cnt_up') ?? 0) > 0xff000000
        ? warning('CounterNearEnd', 'its frame counter is near the end of 32 bits', 'have it join anew soon')
        : undefined,
  },
  {
    from: 'replay',
    check: ({ source, route }) =>
      route !== 'abp-reset' && isTrue(source, NS, 'mac_settings.resets_f_cnt')
        ? warning('ResetsCountersCarried', 'resets_f_cnt is on and carried: old frames may be replayed')
        : undefined,
  },
  {
    from: 'A6c',
    check: ({ route }) =>
      route === 'abp-reset'
        ? warning(
            'CountersReset',
            'resets_f_cnt is set on the target: old frames may be replayed',
            'reset the device once it is on the target',
          )
        : undefined,
  },
  {
    from: 'root key ids and NwkKeys of 1.0.x',
    check: ({ source }) =>
      !versionAtLeast(profileOf(source).lorawanVersion, 'MAC_V1_1') &&
      secretField(source, JS, 'root_keys.nwk_key.key') !== undefined
        ? note(
            'JoinsWithNwkKey',
            'a NwkKey is stored: the Join Server uses it, and not the AppKey, for joins',
          )
        : undefined,
  },
  {
    from: 'payloads that stay encrypted',
    check: ({ source }) =>
      isTrue(source, AS, 'skip_payload_crypto_override') || isTrue(source, AS, 'skip_payload_crypto')
        ? note(
            'PayloadsStayEncrypted',
            'the Application Server does not decrypt its payloads; that is carried',
          )
        : undefined,
  },
]

const insidePrefixes = (devAddr: string, prefixes: readonly DevAddrPrefix[]): boolean => {
  const parsed = parseDevAddr(devAddr)
  return parsed !== undefined && prefixes.some((prefix) => devAddrIn(parsed, prefix))
}

/** Registries a device needs and does not have; the Join Server may be another operator's. */
const missingRegistries = (source: DeviceRecord, sourceHost: string): readonly Registry[] => {
  const needed: Registry[] = [IS, NS, AS]
  const joinServer = textField(source, IS, 'join_server_address')
  const isExternal =
    joinServer !== undefined && joinServer !== '' && joinServer.split(':')[0] !== sourceHost.split(':')[0]
  if (isTrue(source, NS, 'supports_join') && !isExternal) needed.push(JS)
  return needed.filter((registry) => source.registries[registry] === undefined)
}

/** What is wrong with a session that is to be carried; its keys are compared, never shown. */
const sessionFault = (source: DeviceRecord): Verdict | undefined => {
  const devAddr = textField(source, NS, 'session.dev_addr')
  const network = ['f_nwk_s_int_key', 's_nwk_s_int_key', 'nwk_s_enc_key'].map((name) =>
    secretField(source, NS, `session.keys.${name}.key`),
  )
  const [forwarding, serving, encryption] = network
  const appSKey = secretField(source, AS, 'session.keys.app_s_key.key')
  const repair = 'let it join again on the source, or exclude it'
  const skipsCrypto =
    isTrue(source, AS, 'skip_payload_crypto_override') || isTrue(source, AS, 'skip_payload_crypto')
  if (devAddr === undefined || forwarding === undefined)
    return error(
      'SessionIncomplete',
      "the source's Network Server holds no complete session",
      repair,
      'session',
    )
  if (appSKey === undefined && !skipsCrypto)
    return error(
      'SessionIncomplete',
      "the source's Application Server holds no AppSKey for the session",
      repair,
      'session.keys.app_s_key.key',
    )
  const present = [...network, appSKey].filter((key) => key !== undefined)
  if (present.some((key) => /^0+$/.test(key.reveal())))
    return error(
      'SessionKeysCleared',
      'a session key is all zeros: it was handed over or cleared before',
      repair,
      'session.keys',
    )
  if (
    textField(source, AS, 'session.dev_addr') !== devAddr ||
    textField(source, AS, 'session.keys.session_key_id') !==
      textField(source, NS, 'session.keys.session_key_id')
  ) {
    return error(
      'SessionsDiffer',
      "the source's Network Server and Application Server hold different sessions",
      'wait for its next uplink, or let it join again on the source',
      'session',
    )
  }
  if (versionAtLeast(profileOf(source).lorawanVersion, 'MAC_V1_1')) {
    return serving === undefined || encryption === undefined
      ? error(
          'SessionIncomplete',
          'a LoRaWAN 1.1 session needs three network session keys',
          repair,
          'session.keys',
        )
      : undefined
  }
  return [serving, encryption].some((key) => key !== undefined && !key.equals(forwarding))
    ? error(
        'NetworkKeysDiffer',
        'below LoRaWAN 1.1 the network session keys must be equal',
        'correct the LoRaWAN version on the source, or let it join again',
        'session.keys',
      )
    : undefined
}

/** All findings about one device of the source; those of severity `error` block it. */
export const deviceFindings = (input: RuleInput): readonly Diagnostic[] => {
  const device = input.source.ids.deviceId
  const locate = ({ path, ...finding }: Verdict): Diagnostic => ({
    ...finding,
    subject: path === undefined ? { device } : { device, path },
  })
  for (const rule of BLOCKING) {
    const found = rule.check(input)
    if (found !== undefined) return [locate(found)]
  }
  return TELLING.flatMap((rule) => {
    const found = rule.check(input)
    return found === undefined ? [] : [locate(found)]
  })
}
