import { sharesNetworkServer } from './addresses.ts'
import { LONGEST_DURATION, parseDuration } from './duration.ts'
import { error, warning } from './finding.ts'
import type { PolicyDraft } from './plan-document.ts'
import { isKept, keepsDevAddr, keepsSession } from './policy-meaning.ts'
import { checkPolicies, type DecidingFields, type Rule, type RuleContext } from './rule.ts'

const duplicates: Rule = {
  codes: ['DuplicateUplinks'],
  cell: 'A4c',
  because: 'the guide deletes the source; one that is kept is stopped, and goes on decoding the same uplinks',
  check: (context) =>
    checkPolicies(context, ['deleteSource', 'persistSession', 'handover'], (policy) =>
      // A Stack V2 decodes nothing without its keys, and a file nothing at all.
      policy.persistSession === true && isKept(policy) && context.draft.source?.network === 'things-stack'
        ? warning({
            code: 'DuplicateUplinks',
            message: 'deleteSource is never and sessions are kept, so both networks decode the same uplinks',
            hint: 'switch off integrations of the source application, or write deleteSource: after-heard',
          })
        : undefined,
    ),
}

const rejoin: Rule = {
  codes: ['RejoinNotPrevented'],
  cell: 'A4d',
  because: 'after the import, the root keys are changed on the source or the device is deleted there',
  check: (context) =>
    checkPolicies(context, ['preventRejoin', 'deleteSource', 'handover'], (policy) =>
      isKept(policy) && policy.preventRejoin === 'none'
        ? warning({
            code: 'RejoinNotPrevented',
            message:
              'the source keeps devices and their root keys, so whoever starts it again has them join there',
            hint: 'write preventRejoin: replace-root-keys, or deleteSource: after-heard',
          })
        : undefined,
    ),
}

const replay: Rule = {
  codes: ['ReplayRisk'],
  cell: 'A6d',
  because: 'with resets_f_cnt the target takes frame counters from 0 again, recorded frames included',
  check: (context) =>
    checkPolicies(context, ['resetFrameCounters'], (policy) =>
      policy.resetFrameCounters === true
        ? warning({
            code: 'ReplayRisk',
            message:
              'resetFrameCounters lets old frames be replayed, and refuses OTAA devices and ABP from 1.0.4 on',
            hint: 'select only ABP devices that will be reset: the setting is taken back once their reset was heard',
          })
        : undefined,
    ),
}

const coverageUnknown: Rule = {
  codes: ['CoverageUnknown'],
  cell: 'A7c',
  because:
    'a kept DevAddr belongs to the block of the source, whose gateways do not forward it to the target',
  check: (context) => {
    if (context.draft.coverage?.gateways !== 'unknown' || staysCovered(context)) return []
    return checkPolicies(context, keepers, (policy) =>
      keepsDevAddr(policy)
        ? warning({
            code: 'CoverageUnknown',
            message: 'devices keep their DevAddr, and those outside the blocks of the target will be blocked',
            hint: 'write coverage.gateways: on-target or moving-now once the gateways are or will be there',
          })
        : undefined,
    )
  },
}

const packetBroker: Rule = {
  codes: ['PacketBrokerByDevAddr'],
  cell: 'A7d',
  because:
    'Packet Broker routes by DevAddr block: it serves devices that join anew, not those that keep a DevAddr',
  check: (context) => {
    if (context.draft.coverage?.gateways !== 'packet-broker' || staysCovered(context)) return []
    return checkPolicies(context, keepers, (policy) =>
      keepsDevAddr(policy)
        ? warning({
            code: 'PacketBrokerByDevAddr',
            message: 'Packet Broker routes by DevAddr, and devices that keep theirs are not heard through it',
            hint: 'move the gateways and write moving-now, or write persistSession: false and have devices join anew',
          })
        : undefined,
    )
  },
}

/** Within one network a DevAddr keeps belonging to it, and its gateways forward as before. */
const staysCovered = ({ draft: { source, target } }: RuleContext): boolean =>
  sharesNetworkServer(source, target)

const keepers = (policy: PolicyDraft): DecidingFields =>
  keepsSession(policy)
    ? ['persistSession', 'resetFrameCounters', 'rootKeys', 'abp']
    : ['resetFrameCounters', 'persistSession', 'abp']

const durations: Rule = {
  codes: ['WrongValue'],
  because: 'a device cannot be heard in no time, and a run does not wait for years',
  check: ({ draft, written }) =>
    (['heardWithin', 'expectedInterval', 'retireAfter'] as const).flatMap((name) => {
      const path = ['verify', name]
      const text = draft.verify?.[name]
      const length = text === undefined || !written(path) ? undefined : parseDuration(text)
      if (length === undefined || (length <= LONGEST_DURATION && (length > 0 || name === 'retireAfter')))
        return []
      const hint = `write ${name !== 'retireAfter' ? '1s' : '0s'} to 366d`
      return [error({ code: 'WrongValue', message: `"${name}" is "${text}"`, hint, path })]
    }),
}

export const POLICY_RULES: readonly Rule[] = [
  duplicates,
  rejoin,
  replay,
  coverageUnknown,
  packetBroker,
  durations,
]
