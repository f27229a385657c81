import { isObject, registriesOf } from '../../device/records.ts'
import { keepsSession } from '../../device/route.ts'
import { type DeviceRule, error, note, type RuleInput, warning } from './rule.ts'

/** What V2 spoke with every device, so what each session of it is. */
const SESSION_VERSIONS = { mac: 'MAC_V1_0_2', phy: 'PHY_V1_0_2_REV_B' }

/** The device in V2's own words; undefined for a device of another network. */
const lorawanOf = ({ source }: RuleInput): Readonly<Record<string, unknown>> | undefined => {
  const lorawan = source.original?.['lorawan_device']
  return isObject(lorawan) ? lorawan : undefined
}

export const V2_BLOCKING: readonly DeviceRule[] = [
  {
    from: 'V2: a device that has neither AppKey nor session was handed over, or never used',
    check: (input) =>
      lorawanOf(input) !== undefined && registriesOf(input.source).length === 1
        ? error(
            'NoKeysOnSource',
            'the source holds no key of it: it was cleared by an earlier migration that this state does not know, or never had any',
            'look for its keys in the state and escrow of that migration; else exclude it',
          )
        : undefined,
  },
  {
    from: 'V2: a session goes on as what it was made',
    check: (input) => {
      const { route, lorawanVersion, lorawanPhyVersion, isUnderWay } = input
      if (isUnderWay || lorawanOf(input) === undefined || route === undefined || !keepsSession(route))
        return undefined
      return lorawanVersion === SESSION_VERSIONS.mac && lorawanPhyVersion === SESSION_VERSIONS.phy
        ? undefined
        : error(
            'V2SessionVersion',
            `a session of a Stack V2 is of LoRaWAN 1.0.2 rev B, not ${lorawanVersion} with ${lorawanPhyVersion}`,
            'leave the versions out for devices that keep their session; one that joins anew may have its own',
            'lorawan_version',
          )
    },
  },
]

export const V2_TELLING: readonly DeviceRule[] = [
  {
    from: 'V2: a reading registers a device again that the network server has lost, with counters from 0',
    check: (input) => {
      const lorawan = lorawanOf(input)
      const { route } = input
      if (lorawan === undefined || route === undefined || !keepsSession(route)) return undefined
      return lorawan['last_seen'] === undefined && lorawan['f_cnt_up'] === undefined
        ? warning(
            'CountersUnknown',
            'the source knows no counters of its session: it never sent, or its network server lost it and a reading registered it there again',
            'where it has sent, set policy.downlinkCounterMargin in an override above what was ever sent to it',
          )
        : undefined
    },
  },
  {
    from: 'V2: disable_f_cnt_check',
    check: (input) =>
      lorawanOf(input)?.['disable_f_cnt_check'] === true
        ? warning(
            'CounterCheckDisabled',
            'the source does not check its frame counters; the target takes a reset to 0 at most, and that of an ABP device only',
            'find out whether the device counts; one that does not is not heard',
          )
        : undefined,
  },
  {
    from: 'ids that the target does not take',
    check: ({ source, intent }) =>
      source.untold !== undefined &&
      intent.set.deviceId !== undefined &&
      intent.set.deviceId !== source.ids.deviceId
        ? note(
            'IdRenamed',
            `it becomes ${intent.set.deviceId}; its id here is kept as the attribute old-id where there is room`,
          )
        : undefined,
  },
]
