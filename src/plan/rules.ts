import type { Finding } from './finding.ts'
import type { Rule, RuleContext } from './rule.ts'
import { FILE_RULES } from './rules-files.ts'
import { NETWORK_RULES } from './rules-networks.ts'
import { OVERRIDE_RULES } from './rules-overrides.ts'
import { POLICY_RULES } from './rules-policy.ts'
import { SELECTION_RULES } from './rules-selection.ts'

/** What has to be true of a plan beyond its schema; each rule says why, and which cell of `CELLS` it is. */
export const RULES: readonly Rule[] = [
  ...NETWORK_RULES,
  ...SELECTION_RULES,
  ...OVERRIDE_RULES,
  ...POLICY_RULES,
  ...FILE_RULES,
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
  A1c: { by: 'reading', asks: 'OTAA and ABP', ours: 'activation is read; multicast groups are left' },
  A1d: {
    by: 'reading',
    asks: 'OTAA; ABP with DevAddr and keys kept, or re-programmed',
    ours: 'ABP without a kept session and without resetFrameCounters is blocked; the plan notes it (JoinNeeded)',
  },
  A2c: {
    by: 'engine',
    asks: 'delete the device before the import',
    ours: 'stop-first silences the source instead',
  },
  A2d: { by: 'engine', asks: 'disable downlinks on the source', ours: 'stop-first does' },
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
    ours: 'SameDeployment where EUIs would clash; DuplicateUplinks where a stopped source is kept',
  },
  A4d: {
    by: 'plan',
    asks: 'change the AppKey or delete, after the import',
    ours: 'preventRejoin by default; RejoinNotPrevented where neither is done',
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
    asks: 'resets_f_cnt, then reset the device',
    ours: 'ReplayRisk; that it is ABP below 1.0.4 is checked once it was read',
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
  A8d: { by: 'plan', asks: 'have devices join', ours: 'JoinNeeded' },
  A9c: { by: 'told', asks: 'prefer joining anew', ours: 'description of persistSession' },
  A9d: { by: 'told', asks: 'recommended', ours: 'description of persistSession' },
}

/** Every finding of every rule, in no order. */
export const checkRules = (context: RuleContext): readonly Finding[] =>
  RULES.flatMap((rule) => rule.check(context))
