import type { DeviceRecord, Registry } from '../../../domain/device.ts'
import { type JoinHosts, joinsElsewhere } from '../../device/join-server.ts'
import { reachOf } from '../../device/reach.ts'
import { hasPendingSession, isTrue, numberField, secretField, textField } from '../../device/records.ts'
import { hasNewRootKeys } from '../../device/reprogrammed.ts'
import {
  activationOf,
  isReprogrammed,
  keepsKeys,
  keepsSession,
  profileOf,
  versionAtLeast,
} from '../../device/route.ts'
import { isMuted, MUTE } from '../../device/scheduling.ts'
import { FILE_BLOCKING } from './file.ts'
import { type DeviceRule, error, type RuleInput, reaching } from './rule.ts'
import { sessionFault } from './session-fault.ts'
import { V2_BLOCKING } from './ttn-v2.ts'
import { WAYS } from './ways.ts'

const IS = 'identity-server'
const JS = 'join-server'
const NS = 'network-server'
const AS = 'application-server'

const names: Readonly<Record<Registry, string>> = {
  [IS]: 'Identity Server',
  [JS]: 'Join Server',
  [NS]: 'Network Server',
  [AS]: 'Application Server',
}

/** What a device can not cross with: the first that is found counts, for the later ones would follow from it. */
export const BLOCKING: readonly DeviceRule[] = [
  ...V2_BLOCKING,
  {
    from: 'half-registered devices',
    check: ({ source, joinHosts }) => {
      const missing = missingRegistries(source, joinHosts)
      if (missing.length === 0) return undefined
      const list = missing.map((registry) => names[registry]).join(' and ')
      return error(
        'HalfRegistered',
        `the source's ${list} ${missing.length === 1 ? 'does' : 'do'} not know the device`,
        `${howToComplete(source, missing)}register it on the source's ${list}, or exclude it`,
      )
    },
  },
  {
    from: 'mutedSource',
    check: ({ source, mutedByUs, intent }) =>
      !mutedByUs && isMuted(source) && intent.policy.mutedSource === 'blocked'
        ? error(
            'SourceMuted',
            'the source was muted before (schedule_downlinks is false), by a person or another tool',
            'find out why; then write policy.mutedSource: unmute to have the target serve it, or carry to move it muted, or exclude it',
            MUTE,
          )
        : undefined,
  },
  {
    from: 'A6c, A6d: an ABP device keeps its session, is reset, or is re-programmed',
    check: ({ source, route, isUnderWay }) =>
      !isUnderWay && activationOf(source) === 'abp' && route === undefined
        ? error(
            'AbpNeedsDecision',
            'an ABP device can not join anew',
            'set policy.persistSession: true to keep its session, policy.resetFrameCounters: true if it will be reset, or policy.abp: reprogram or to-otaa if it will be re-programmed',
          )
        : undefined,
  },
  {
    from: 'A6c: counters start again on ABP devices below LoRaWAN 1.0.4 only',
    check: ({ source, route, intent, isUnderWay }) => {
      if (isUnderWay || !intent.policy.resetFrameCounters) return undefined
      if (activationOf(source) === 'multicast' || (route !== undefined && isReprogrammed(route)))
        return undefined
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
    check: (input) => {
      const { source } = input
      if (activationOf(source) !== 'otaa' || source.registries[JS] === undefined || getsNewKeys(input))
        return undefined
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
    check: (input) =>
      activationOf(input.source) === 'otaa' &&
      input.source.registries[JS] !== undefined &&
      !getsNewKeys(input) &&
      versionAtLeast(input.lorawanVersion, 'MAC_V1_1') &&
      secretField(input.source, JS, 'root_keys.nwk_key.key') === undefined
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
    check: ({ source, route, intent, mutedByUs }) =>
      intent.policy.persistSession &&
      !mutedByUs &&
      route !== undefined &&
      !isReprogrammed(route) &&
      activationOf(source) === 'otaa' &&
      hasPendingSession(source)
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
    check: (input) => {
      const { source, route, coverage, isUnderWay } = input
      // A group sends through gateways of the target, wherever its DevAddr is from.
      if (isUnderWay || route === undefined || route === 'multicast') return undefined
      if (reachOf(reaching(input, route)) !== 'unreachable') return undefined
      const devAddr = textField(source, NS, 'session.dev_addr')
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
    check: (input) =>
      input.route !== undefined &&
      activationOf(input.source) === 'otaa' &&
      !getsNewKeys(input) &&
      (numberField(input.source, JS, 'last_join_nonce') ?? 0) >= 0xffffff
        ? error(
            'JoinNonceExhausted',
            'its last JoinNonce is the highest there is: it can not join again with these keys',
            'give it new root keys: policy.rootKeys: generate, and re-program it',
            'last_join_nonce',
          )
        : undefined,
  },
  ...WAYS,
  ...FILE_BLOCKING,
]

const getsNewKeys = ({ source, route, intent }: RuleInput): boolean =>
  route !== undefined && hasNewRootKeys(source, route, intent)

/** What is there suffices to have it join anew where it has root keys; without Network Server the plan has to say what it is. */
const howToComplete = (source: DeviceRecord, missing: readonly Registry[]): string => {
  const hasKeys = secretField(source, JS, 'root_keys.app_key.key') !== undefined
  if (!hasKeys || missing.includes(IS) || missing.includes(JS)) return ''
  const settings = missing.includes(NS)
    ? ', with set.frequencyPlan, set.lorawanVersion and set.lorawanPhyVersion,'
    : ''
  return `write policy.adopt: partial${settings} in an override for it to have it join anew, or `
}

/** Registries a device needs and does not have; the Join Server may be another operator's. */
const missingRegistries = (source: DeviceRecord, joinHosts: JoinHosts): readonly Registry[] => {
  const needed: Registry[] = [IS, NS, AS]
  if (isTrue(source, NS, 'supports_join') && !joinsElsewhere(source, joinHosts)) needed.push(JS)
  return needed.filter((registry) => source.registries[registry] === undefined)
}
