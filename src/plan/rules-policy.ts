import { LONGEST_DURATION, parseDuration } from './duration.ts'
import { error, note, warning } from './finding.ts'
import { checkPolicies, type DecidingFields, policyScopes, type Rule } from './rule.ts'

const duplicates: Rule = {
  codes: ['DuplicateUplinks'],
  cell: 'A4c',
  because: 'the guide deletes the source; one that is kept is stopped, and goes on decoding the same uplinks',
  check: (context) =>
    checkPolicies(context, ['deleteSource', 'persistSession'], (policy) =>
      policy.persistSession === true && policy.deleteSource === 'never'
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
    checkPolicies(context, ['preventRejoin', 'deleteSource'], (policy) =>
      policy.deleteSource === 'never' && policy.preventRejoin === 'none'
        ? warning({
            code: 'RejoinNotPrevented',
            message:
              'the source keeps devices and their root keys, so whoever starts it again has them join there',
            hint: 'write preventRejoin: replace-root-keys, or deleteSource: after-heard',
          })
        : undefined,
    ),
}

const preventWithoutEffect: Rule = {
  codes: ['WithoutEffect'],
  cell: 'A4d',
  because: 'a device that is deleted right after the import cannot join the source again',
  check: (context) =>
    policyScopes(context).flatMap(({ path, policy, own }) => {
      const set = own.includes('preventRejoin') && policy.preventRejoin === 'replace-root-keys'
      if (!set || policy.deleteSource !== 'after-import') return []
      const message = 'preventRejoin has no effect with deleteSource: after-import'
      const hint = 'leave it out; what is deleted cannot be joined'
      return [warning({ code: 'WithoutEffect', message, hint, path: [...path, 'preventRejoin'] })]
    }),
}

const retireWithoutEffect: Rule = {
  codes: ['WithoutEffect'],
  because: 'retireAfter is the time from being heard to the delete',
  check: (context) => {
    const path = ['verify', 'retireAfter']
    const deletes = policyScopes(context).some(({ policy }) => policy.deleteSource === 'after-heard')
    if (deletes || context.draft.policy === undefined || !context.written(path)) return []
    const message = 'retireAfter has no effect, as nothing has deleteSource: after-heard'
    return [
      warning({
        code: 'WithoutEffect',
        message,
        hint: 'leave it out, or write deleteSource: after-heard',
        path,
      }),
    ]
  },
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
            hint: 'select only ABP devices that will be reset, and take the setting back once they were heard',
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
    if (context.draft.coverage?.gateways !== 'unknown') return []
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
    if (context.draft.coverage?.gateways !== 'packet-broker') return []
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

const keepers = (policy: { readonly persistSession?: boolean }): DecidingFields =>
  policy.persistSession === true
    ? ['persistSession', 'resetFrameCounters']
    : ['resetFrameCounters', 'persistSession']

const keepsDevAddr = (policy: { readonly persistSession?: boolean; readonly resetFrameCounters?: boolean }) =>
  policy.persistSession === true || policy.resetFrameCounters === true

const joinNeeded: Rule = {
  codes: ['JoinNeeded'],
  cell: 'A8d',
  because:
    'an import makes no device join: some notice by themselves, others need a downlink or a power cycle',
  check: (context) =>
    checkPolicies(context, ['persistSession'], (policy) =>
      policy.persistSession === false && policy.resetFrameCounters !== true
        ? note({
            code: 'JoinNeeded',
            message: 'OTAA devices have to join the target, and ABP devices are blocked as they cannot join',
            hint: 'plan for power cycles; ABP devices need an override with persistSession: true or resetFrameCounters: true',
          })
        : undefined,
    ),
}

const durations: Rule = {
  codes: ['WrongValue'],
  because: 'a device cannot be heard in no time, and a run does not wait for years',
  check: ({ draft, written }) =>
    (['heardWithin', 'retireAfter'] as const).flatMap((name) => {
      const path = ['verify', name]
      const text = draft.verify?.[name]
      const length = text === undefined || !written(path) ? undefined : parseDuration(text)
      if (length === undefined || (length <= LONGEST_DURATION && (length > 0 || name === 'retireAfter')))
        return []
      const hint = `write ${name === 'heardWithin' ? '1s' : '0s'} to 366d`
      return [error({ code: 'WrongValue', message: `"${name}" is "${text}"`, hint, path })]
    }),
}

export const POLICY_RULES: readonly Rule[] = [
  duplicates,
  rejoin,
  preventWithoutEffect,
  retireWithoutEffect,
  replay,
  coverageUnknown,
  packetBroker,
  joinNeeded,
  durations,
]
