import { redact } from '../../../domain/redact.ts'
import { hasPendingApplicationDownlink, pendingRequests } from '../../device/mac-state.ts'
import { PACKET_BROKER_DELAY, reachOf } from '../../device/reach.ts'
import {
  field,
  hasPendingSession,
  hasSession,
  isObject,
  isTrue,
  macState,
  numberField,
  registriesOf,
  secretField,
  textField,
} from '../../device/records.ts'
import { activationOf, keepsSession, profileOf, versionAtLeast } from '../../device/route.ts'
import { isMuted } from '../../device/scheduling.ts'
import { type DeviceRule, note, reaching, warning } from './rule.ts'
import { TELLING_JOIN } from './telling-join.ts'
import { TELLING_QUEUE } from './telling-queue.ts'
import { V2_TELLING } from './ttn-v2.ts'

const IS = 'identity-server'
const JS = 'join-server'
const NS = 'network-server'
const AS = 'application-server'

/** Frames before a 16-bit counter rolls over at which a reader is warned: weeks, for most devices. */
const NEAR_ROLL_OVER = 2_000

/** What a reader of the preview has to know of a device that crosses; all that hold are told. */
export const TELLING: readonly DeviceRule[] = [
  ...TELLING_QUEUE,
  ...TELLING_JOIN,
  ...V2_TELLING,
  {
    from: 'A3c',
    // Of a half-registered device it is not known.
    check: ({ source, registered, route }) =>
      route === 'joining-anew' &&
      registriesOf(source).length === registriesOf(registered).length &&
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
    from: 'A7a: an answer takes longer through Packet Broker',
    check: (input) =>
      input.route !== undefined &&
      input.route !== 'multicast' &&
      !input.isUnderWay &&
      reachOf(reaching(input, input.route)) === 'late'
        ? warning(
            'AnswersTooLate',
            `its RX1 delay is below ${PACKET_BROKER_DELAY} s, and answers through Packet Broker come later than that: it hears none`,
            `ask it for ${PACKET_BROKER_DELAY} s on the source first (desired_rx1_delay), where gateways of its own reach it, or move them`,
          )
        : undefined,
  },
  {
    from: 'secrets: tools park a key in an attribute (ttnctl devices convert-to-abp)',
    check: ({ source }) => {
      const attributes = field(source, IS, 'attributes')
      const found = Object.entries(isObject(attributes) ? attributes : {}).filter(
        ([, value]) => typeof value === 'string' && redact(value) !== value,
      )
      return found.length === 0
        ? undefined
        : warning(
            'AttributeLooksSecret',
            `its attribute ${found.map(([name]) => redact(name)).join(', ')} looks like a key, and is carried as it is`,
            'where it is one, leave it out by set: { attributes: ... } in an override: all who see the device see it',
          )
    },
  },
  {
    from: 'a session keeps its channels, in a band whose frequency plans have others',
    check: ({ source, route, frequencyPlan }) => {
      const was = profileOf(source).frequencyPlan
      return route !== undefined && keepsSession(route) && was !== frequencyPlan
        ? warning(
            'OtherChannels',
            `it goes on with the channels of ${was}, though its frequency plan becomes ${frequencyPlan}`,
            'see that gateways of the target listen on both until the network has moved it',
          )
        : undefined
    },
  },
  {
    from: 'claim codes',
    check: ({ source, route }) =>
      route !== undefined && secretField(source, IS, 'claim_authentication_code.value') !== undefined
        ? warning(
            'ClaimCodeStays',
            'it has a claim code, which stays behind: whoever scans its label can not claim it from the target',
            'where it is to be claimed again, set the code on the target; the escrow keeps it',
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
    check: ({ source, route }) => {
      if (route === undefined || !keepsSession(route)) return undefined
      if (field(source, NS, 'mac_settings.supports_32_bit_f_cnt') !== false) return undefined
      const rolls = 'its frame counter has 16 bits and rolls over at 65535'
      const left = 65_535 - (numberField(source, NS, 'session.last_f_cnt_up') ?? 0)
      if (left > NEAR_ROLL_OVER || isTrue(source, NS, 'mac_settings.resets_f_cnt'))
        return note('SixteenBitCounters', rolls)
      return warning(
        'SixteenBitCounters',
        `${rolls}, ${left} frames from now: The Things Stack takes no frame after that without resets_f_cnt`,
        'let it join again or reset it before, or set resets_f_cnt on it, which lets old frames be replayed',
      )
    },
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
    // Of an ABP device that is turned into OTAA the setting stays behind.
    check: ({ source, route }) =>
      route !== 'abp-reset' &&
      !(route === 'otaa-reprogrammed' && activationOf(source) === 'abp') &&
      isTrue(source, NS, 'mac_settings.resets_f_cnt')
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
            'reset the device once it is on the target; the setting is taken back once the reset was heard',
          )
        : undefined,
  },
  {
    from: 'mutedSource',
    check: ({ source, mutedByUs, intent: { policy } }) => {
      if (mutedByUs || !isMuted(source)) return undefined
      return policy.mutedSource === 'carry'
        ? warning(
            'StaysMuted',
            'it was muted on the source before, and stays so on the target: no network answers it',
            'unmute it on the target when it may be served (mac_settings.schedule_downlinks)',
          )
        : note('MutedBefore', 'it was muted on the source before, by others; the target serves it')
    },
  },
  {
    from: 'half-registered devices',
    check: ({ source, registered }) => {
      const missing = registriesOf(source).filter((registry) => registered.registries[registry] === undefined)
      return missing.length === 0
        ? undefined
        : warning(
            'PartialAdopted',
            `the source holds a part of it (not ${missing.join(', ')}), which suffices to join anew`,
            'look at its settings on the target: formatters and classes are not known',
          )
    },
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
