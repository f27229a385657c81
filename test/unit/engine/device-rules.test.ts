import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { DeviceRecord } from '../../../src/domain/device.ts'
import { Secret } from '../../../src/domain/secret.ts'
import { deviceFindings } from '../../../src/engine/planning/rules/device-findings.ts'
import type { RuleInput } from '../../../src/engine/planning/rules/rule.ts'
import { AS, abp, device, FACTS, IS, intent, JS, key, NS, ruleInput } from './support.ts'

const reset = intent({ resetFrameCounters: true })
const muted = { 'mac_settings.schedule_downlinks': false }
const unmute = intent({ mutedSource: 'unmute' })
const downlink = { fPort: 1, payload: 'AQ==', confirmed: false, correlationIds: [] }
const state = (more: object) => ({ mac_state: { recent_uplinks: [{}], ...more } })
const pending = { 'pending_session.dev_addr': '27000F02' }

/** The same as a Stack V2 holds it. */
const v2 = (record: DeviceRecord, lorawan: object = {}): DeviceRecord => ({
  ...record,
  untold: { joinNonces: true, downlinks: 32 },
  original: {
    dev_id: 'meter-1',
    attributes: { 'Floor Number': '3' },
    lorawan_device: { f_cnt_up: 1, ...lorawan },
  },
})
const OF_V2 = { lorawanVersion: 'MAC_V1_0_2', lorawanPhyVersion: 'PHY_V1_0_2_REV_B' }
const renamed = { ...intent(), set: { deviceId: 'meter-one' } }

/** One device for each code, and each code once at least. */
const CASES: readonly (readonly [string, Partial<RuleInput>])[] = [
  ['HalfRegistered', { source: device({ [NS]: 'absent' }), route: 'joining-anew' }],
  ['HalfRegistered', { source: device({ [AS]: 'absent' }) }],
  ['HalfRegistered', { source: device({ [JS]: 'absent' }) }],
  ['SourceMuted', { source: device({ [NS]: { 'mac_settings.schedule_downlinks': false } }) }],
  ['AbpNeedsDecision', { source: abp(), route: undefined, intent: intent({ persistSession: false }) }],
  ['ResetNotPossible', { intent: reset }],
  [
    'ResetNotPossible',
    { source: abp({ [NS]: { lorawan_version: 'MAC_V1_0_4' } }), intent: reset, route: 'abp-reset' },
  ],
  ['RootKeysMissing', { source: device({ [JS]: { 'root_keys.app_key.key': null } }) }],
  ['RootKeysCleared', { source: device({ [JS]: { 'root_keys.app_key.key': key('00') } }) }],
  ['NwkKeyMissing', { lorawanVersion: 'MAC_V1_1' }],
  ['PendingSession', { source: device({ [NS]: pending }) }],
  ['SessionIncomplete', { source: device({ [NS]: { 'session.keys.f_nwk_s_int_key.key': null } }) }],
  ['SessionIncomplete', { source: device({ [AS]: { 'session.keys.app_s_key.key': null } }) }],
  [
    'SessionIncomplete',
    {
      source: device({
        [JS]: { 'root_keys.nwk_key.key': key('A2') },
        [NS]: { lorawan_version: 'MAC_V1_1', 'session.keys.s_nwk_s_int_key.key': null },
      }),
      lorawanVersion: 'MAC_V1_1',
    },
  ],
  ['SessionKeysCleared', { source: device({ [AS]: { 'session.keys.app_s_key.key': key('00') } }) }],
  ['SessionsDiffer', { source: device({ [AS]: { 'session.dev_addr': '27000F09' } }) }],
  ['SessionsDiffer', { source: device({ [AS]: { 'session.keys.session_key_id': 'b3RoZXI=' } }) }],
  ['NetworkKeysDiffer', { source: device({ [NS]: { 'session.keys.nwk_s_enc_key.key': key('B9') } }) }],
  [
    'AnswersTooLate',
    {
      source: device({ [NS]: state({ current_parameters: { rx1_delay: 1 } }) }),
      coverage: 'packet-broker',
    },
  ],
  [
    'DevAddrNotCovered',
    {
      source: device({ [NS]: { 'session.dev_addr': '2A000F01' }, [AS]: { 'session.dev_addr': '2A000F01' } }),
      coverage: 'unknown',
    },
  ],
  [
    'DevAddrNotCovered',
    {
      source: device({ [NS]: { 'session.dev_addr': '2A000F01' }, [AS]: { 'session.dev_addr': '2A000F01' } }),
      coverage: 'packet-broker',
    },
  ],
  ['UnknownFrequencyPlan', { frequencyPlan: 'CN_470_510_FSB_11' }],
  ['BandMismatch', { frequencyPlan: 'US_902_928_FSB_2' }],
  ['UnknownPhyVersion', { lorawanPhyVersion: 'PHY_V1_1_REV_B' }],
  ['JoinNonceExhausted', { source: device({ [JS]: { last_join_nonce: 0xffffff } }) }],
  [
    'NeverJoined',
    {
      source: device({ [NS]: { 'session.dev_addr': null, mac_state: null } }),
      route: 'joining-anew',
    },
  ],
  [
    'ClaimCodeStays',
    { source: device({ [IS]: { 'claim_authentication_code.value': new Secret('MADEUPCODE1') } }) },
  ],
  [
    'ExternalJoinServer',
    { source: device({ [JS]: 'absent', [IS]: { join_server_address: 'js.elsewhere.example' } }) },
  ],
  ['QueuedDownlinksLost', { queue: [downlink, downlink] }],
  ['PendingDownlinkLost', { source: device({ [NS]: state({ pending_application_downlink: {} }) }) }],
  [
    'PendingMacRequests',
    { source: device({ [NS]: state({ pending_requests: [{ cid: 'CID_DEV_STATUS' }] }) }) },
  ],
  ['FirstFrameLost', { source: device({ [NS]: { 'session.last_f_cnt_up': 0, mac_state: {} } }) }],
  ['SixteenBitCounters', { source: device({ [NS]: { 'mac_settings.supports_32_bit_f_cnt': false } }) }],
  ['CounterNearEnd', { source: device({ [NS]: { 'session.last_f_cnt_up': 0xfffffff0 } }) }],
  [
    'ResetsCountersCarried',
    { source: abp({ [NS]: { 'mac_settings.resets_f_cnt': true } }), route: 'abp-kept' },
  ],
  ['JoinEuiMissing', { source: abp(), route: 'otaa-reprogrammed', intent: intent({ abp: 'to-otaa' }) }],
  [
    'DevEuiMissing',
    {
      source: { ...abp(), ids: { deviceId: 'meter-1' } },
      route: 'abp-reprogrammed',
      lorawanVersion: 'MAC_V1_0_4',
      intent: intent({ abp: 'reprogram' }),
    },
  ],
  [
    'EuisStayTaken',
    { route: 'otaa-reprogrammed', sameDeployment: true, intent: intent({ rootKeys: 'generate' }) },
  ],
  [
    'ReprogramKeepsSource',
    { route: 'otaa-reprogrammed', intent: intent({ rootKeys: 'generate', deleteSource: 'after-import' }) },
  ],
  [
    'QueueEncrypted',
    {
      source: device({ [AS]: { skip_payload_crypto_override: true } }),
      intent: intent({ queuedDownlinks: 'copy' }),
    },
  ],
  [
    'TriggerNeedsJoinServer',
    {
      source: device({ [JS]: 'absent', [IS]: { join_server_address: 'js.elsewhere.example' } }),
      route: 'joining-triggered',
    },
  ],
  ['TriggerNeedsSource', { source: device({ [NS]: muted }), route: 'joining-triggered', intent: unmute }],
  ['QueueUnknown', { queue: undefined, intent: intent({ queuedDownlinks: 'wait-empty' }) }],
  ['QueueUnknown', { queue: undefined, source: abp({ [NS]: { multicast: true } }), route: 'multicast' }],
  ['QueueNotEmpty', { queue: [downlink], intent: intent({ queuedDownlinks: 'wait-empty' }) }],
  ['DownlinksCopied', { queue: [downlink], intent: intent({ queuedDownlinks: 'copy' }) }],
  ['StaysMuted', { source: device({ [NS]: muted }), intent: intent({ mutedSource: 'carry' }) }],
  ['OtherChannels', { route: 'session-kept', frequencyPlan: 'EU_863_870' }],
  ['MutedBefore', { source: device({ [NS]: muted }), intent: unmute }],
  ['SilentUntilJoin', { route: 'joining-anew', intent: intent({ persistSession: false }) }],
  [
    'JoinByHand',
    {
      route: 'joining-anew',
      intent: intent({ persistSession: false, rejoin: { trigger: 'manual' } }),
    },
  ],
  [
    'PartialAdopted',
    {
      source: device({ [NS]: { 'session.dev_addr': null, mac_state: null }, [AS]: {} }),
      registered: device({ [NS]: { 'session.dev_addr': null, mac_state: null }, [AS]: 'absent' }),
      route: 'joining-anew',
      intent: intent({ persistSession: false, adopt: 'partial' }),
    },
  ],
  ['CountersReset', { source: abp(), route: 'abp-reset', intent: reset }],
  ['JoinsWithNwkKey', { source: device({ [JS]: { 'root_keys.nwk_key.key': key('A2') } }) }],
  ['NoKeysOnSource', { source: v2(device({ [JS]: 'absent', [NS]: 'absent', [AS]: 'absent' })) }],
  ['CountersNotInFile', { source: { ...device({}), untold: { counters: true, downlinks: 0 } } }],
  ['V2SessionVersion', { source: v2(device({})), lorawanVersion: 'MAC_V1_0_3' }],
  ['CountersUnknown', { source: v2(device({}), { f_cnt_up: undefined }), ...OF_V2 }],
  ['CounterCheckDisabled', { source: v2(device({}), { disable_f_cnt_check: true }), ...OF_V2 }],
  ['IdRenamed', { source: v2(device({})), ...OF_V2, intent: renamed }],
  [
    'ServedUntilJoin',
    { source: v2(device({})), route: 'joining-anew', intent: intent({ persistSession: false }) },
  ],
  ['AttributeLooksSecret', { source: device({ [IS]: { attributes: { parked: 'A1'.repeat(16) } } }) }],
  ['PayloadsStayEncrypted', { source: device({ [AS]: { skip_payload_crypto_override: true } }) }],
]

describe('findings about a device', () => {
  it.each(CASES)('%s is told, alone, where it applies', (code, given) => {
    const found = deviceFindings(ruleInput(given))
    expect(found.map((finding) => finding.code)).toEqual([code])
    const [finding] = found
    expect(finding?.subject).toMatchObject({ device: 'meter-1' })
    expect(finding?.message).toMatch(/^\S.*[^.]$/)
    if (finding?.severity === 'error') expect(finding.hint).toMatch(/\S/)
    expect(JSON.stringify(found)).not.toMatch(/[0-9A-F]{32}/)
  })

  it('a healthy device has none, on any way', () => {
    expect(deviceFindings(ruleInput())).toEqual([])
    expect(deviceFindings(ruleInput({ source: abp(), route: 'abp-kept' }))).toEqual([])
    expect(
      deviceFindings(ruleInput({ targetFacts: { ...FACTS, frequencyPlans: [], phyVersions: {} } })),
    ).toEqual([])
  })

  it('each code of the rules has a case here', () => {
    const folder = new URL('../../../src/engine/planning/rules/', import.meta.url)
    const source = readdirSync(folder)
      .map((file) => readFileSync(new URL(file, folder), 'utf8'))
      .join('\n')
    const codes = new Set(
      [...source.matchAll(/(?:error|warning|note)\(\s*'([A-Z]\w+)'/g)].map((match) => match[1]),
    )
    expect(new Set(CASES.map(([code]) => code))).toEqual(codes)
  })

  it('a source that we muted, and a join while it was silent, are no reason to leave it', () => {
    const silent = { 'mac_settings.schedule_downlinks': false }
    expect(deviceFindings(ruleInput({ mutedByUs: true, source: device({ [NS]: silent }) }))).toEqual([])
    expect(
      deviceFindings(ruleInput({ mutedByUs: true, source: device({ [NS]: { ...silent, ...pending } }) })),
    ).toEqual([])
  })

  it('an ABP device that is turned into OTAA leaves resets_f_cnt behind, and is not told to carry it', () => {
    const source = abp({ [NS]: { 'mac_settings.resets_f_cnt': true } })
    const toOtaa = intent({ abp: 'to-otaa' })
    const codes = (route: RuleInput['route']): readonly string[] =>
      deviceFindings(
        ruleInput({ source, route, intent: toOtaa, becomes: { joinEui: '70B3D57ED0000001' } }),
      ).map(({ code }) => code)
    expect(codes('otaa-reprogrammed')).toEqual([])
    expect(codes('abp-kept')).toEqual(['ResetsCountersCarried'])
  })

  it('joining anew asks nothing of a session that stays behind', () => {
    const anew = intent({ persistSession: false })
    const told = (given: Partial<RuleInput>) =>
      deviceFindings(ruleInput({ ...given, intent: anew, route: 'joining-anew' })).map(({ code }) => code)
    for (const source of [
      device({ [NS]: pending }),
      device({ [AS]: { 'session.keys.app_s_key.key': null } }),
      device({ [NS]: { 'session.dev_addr': '2A000F01' } }),
    ])
      expect(told({ source, coverage: 'unknown' })).toEqual(['SilentUntilJoin'])
    expect(told({ frequencyPlan: 'US_902_928_FSB_2' })).toEqual(['SilentUntilJoin'])
  })
})
