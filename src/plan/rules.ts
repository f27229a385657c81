import type { Finding } from './finding.ts'
import type { Rule, RuleContext } from './rule.ts'
import { AROUND_RULES } from './rules-around.ts'
import { CREDENTIAL_RULES } from './rules-credentials.ts'
import { FILE_SOURCE_RULES } from './rules-file-source.ts'
import { FILE_RULES } from './rules-files.ts'
import { FORBID_RULES } from './rules-forbid.ts'
import { HANDOVER_RULES } from './rules-handover.ts'
import { NETWORK_RULES } from './rules-networks.ts'
import { OVERRIDE_RULES } from './rules-overrides.ts'
import { POLICY_RULES } from './rules-policy.ts'
import { REJOIN_RULES } from './rules-rejoin.ts'
import { SELECTION_RULES } from './rules-selection.ts'
import { SOURCE_RULES } from './rules-source.ts'
import { TTN_V2_RULES } from './rules-ttn-v2.ts'

/** What has to be true of a plan beyond its schema; each rule says why, and which cell of `CELLS` it is. */
export const RULES: readonly Rule[] = [
  ...NETWORK_RULES,
  ...SELECTION_RULES,
  ...OVERRIDE_RULES,
  ...POLICY_RULES,
  ...FORBID_RULES,
  ...HANDOVER_RULES,
  ...REJOIN_RULES,
  ...CREDENTIAL_RULES,
  ...FILE_RULES,
  ...SOURCE_RULES,
  ...TTN_V2_RULES,
  ...FILE_SOURCE_RULES,
  ...AROUND_RULES,
]

/** How a cell of the table of the vendor's guides is taken care of. */
export interface Cell {
  /** plan: checked here. reading: known once the networks were read. engine: done by every run. told: by a field's description. */
  readonly by: 'plan' | 'reading' | 'engine' | 'told'
  readonly asks: string
  readonly ours: string
}

/**
 * What the vendor's guides ask when devices move between deployments of The Things Stack: column c keeps
 * the session, column d has devices join anew. The columns of V2 come with that source.
 */
export const CELLS: Readonly<Record<string, Cell>> = {
  A1c: {
    by: 'reading',
    asks: 'OTAA and ABP',
    ours: 'activation is read; multicast groups move after the devices, without uplinks to be heard by',
  },
  A1d: {
    by: 'plan',
    asks: 'OTAA; ABP with DevAddr and keys kept, or re-programmed',
    ours: 'resetFrameCounters, abp: reprogram or to-otaa (ReprogramNeeded, JoinEuiMissing); other ABP is blocked (JoinNeeded)',
  },
  A2c: {
    by: 'plan',
    asks: 'delete the device before the import',
    ours: 'handover: delete-first does (DeleteFirst); stop-first, the default, silences the source instead',
  },
  A2d: {
    by: 'engine',
    asks: 'disable downlinks on the source',
    ours: 'stop-first does, with rejoin.trigger: source-downlink once the device has joined; mutedSource where others did',
  },
  A3c: {
    by: 'engine',
    asks: 'read settings, root keys, MAC state and session',
    ours: 'all four registries are read',
  },
  A3d: {
    by: 'engine',
    asks: 'without MAC state and session',
    ours: 'they are read for the escrow and not carried',
  },
  A4c: {
    by: 'plan',
    asks: 'completely deleted before the import',
    ours: 'SameDeployment where only delete-first can work; DuplicateUplinks where a stopped source is kept',
  },
  A4d: {
    by: 'plan',
    asks: 'change the AppKey or delete, after the import',
    ours: 'preventRejoin by default; RejoinNotPrevented where neither is done, ConflictingPolicy where two networks would accept a join',
  },
  A5c: { by: 'engine', asks: 'drop the three server addresses', ours: 'set to those of the target' },
  A5d: { by: 'engine', asks: 'the same', ours: 'the same' },
  A6c: {
    by: 'plan',
    asks: 'ABP as OTAA, without root keys',
    ours: 'RX1 delay is kept; obeysRxTimingSetup has to have an effect',
  },
  A6d: {
    by: 'plan',
    asks: 'resets_f_cnt, then reset the device; or new DevAddr and keys from the target',
    ours: 'ReplayRisk; that it is ABP below 1.0.4 is checked once it was read; abp: reprogram (ReprogramKeepsSource)',
  },
  A7c: {
    by: 'plan',
    asks: 'gateways have to move too',
    ours: 'CoverageUnknown; blocked by DevAddr once it was read',
  },
  A7d: {
    by: 'plan',
    asks: 'none to move for OTAA; ABP that keeps its DevAddr needs its gateway moved',
    ours: 'PacketBrokerByDevAddr, CoverageUnknown',
  },
  A8c: { by: 'told', asks: 'move the gateways', ours: 'coverage.gateways; the preview lists it' },
  A8d: {
    by: 'plan',
    asks: 'have devices join: wait, a downlink, a power cycle',
    ours: 'rejoin.trigger: none, source-downlink or manual (JoinNeeded, ConflictingPolicy)',
  },
  A9c: { by: 'told', asks: 'prefer joining anew', ours: 'description of persistSession' },
  A9d: {
    by: 'plan',
    asks: 'recommended, with new root keys or EUIs where wanted',
    ours: 'description of persistSession; rootKeys: generate, set.devEui (DuplicateDevEui), set.joinEui',
  },
}

/** Every finding of every rule, in no order. */
export const checkRules = (context: RuleContext): readonly Finding[] =>
  RULES.flatMap((rule) => rule.check(context))
