import { error, note } from './finding.ts'
import type { PolicyDraft } from './plan-document.ts'
import { changesAbp } from './policy-meaning.ts'
import { checkPolicies, type DecidingFields, type Rule } from './rule.ts'

/** The policy fields by which devices get new credentials, as they are written. */
const reprogramming = (policy: PolicyDraft): readonly string[] => [
  ...(policy.rootKeys === 'generate' ? ['rootKeys: generate'] : []),
  ...(changesAbp(policy) ? [`abp: ${policy.abp}`] : []),
]

/** Those of the fields that ask for new credentials, then the others. */
const deciding =
  (...others: DecidingFields) =>
  (policy: PolicyDraft): DecidingFields => [
    ...(policy.rootKeys === 'generate' ? (['rootKeys'] as const) : []),
    ...(changesAbp(policy) ? (['abp'] as const) : []),
    ...others,
  ]

const keepsSource: Rule = {
  codes: ['ReprogramKeepsSource'],
  cell: 'A6d',
  because: 'the source has to serve the old credentials until the device was heard with the new ones',
  check: (context) =>
    checkPolicies(context, deciding('deleteSource'), (policy) => {
      const [asked] = reprogramming(policy)
      // delete-first is for devices that are served on; these are created beside the source's, with EUIs of their own.
      if (asked === undefined || policy.handover === 'delete-first') return undefined
      if (policy.deleteSource !== 'after-import') return undefined
      return error({
        code: 'ReprogramKeepsSource',
        message: `${asked} waits until devices are programmed, and with deleteSource: after-import none serves them until then`,
        hint: 'write deleteSource: after-heard, or never',
      })
    }),
}

const resetOrReprogram: Rule = {
  codes: ['ConflictingPolicy'],
  cell: 'A6d',
  because: 'a device that counts from 0 with its old keys is not one that gets new ones',
  check: (context) =>
    checkPolicies(context, ['abp', 'resetFrameCounters'], (policy) =>
      policy.resetFrameCounters === true && changesAbp(policy)
        ? error({
            code: 'ConflictingPolicy',
            message: `resetFrameCounters is true and abp is ${policy.abp}: new credentials count from 0 anyhow`,
            hint: 'leave resetFrameCounters out, or write abp: keep',
          })
        : undefined,
    ),
}

const joinEui: Rule = {
  codes: ['JoinEuiMissing'],
  cell: 'A1d',
  because: 'an ABP device has no JoinEUI that could be carried; which devices get one is known by reading',
  check: (context) => {
    const overrides = context.draft.devices?.overrides ?? []
    // one that is wrong has been reported, and is not also missing
    if (overrides.some((_, index) => context.written(['devices', 'overrides', index, 'set', 'joinEui'])))
      return []
    return checkPolicies(context, ['abp'], ({ abp }) =>
      abp === 'to-otaa'
        ? error({
            code: 'JoinEuiMissing',
            message: 'abp is to-otaa, and no override sets the JoinEUI that the devices will have',
            hint: 'write an override that selects them, with set: { joinEui: "..." }',
          })
        : undefined,
    )
  },
}

const byHand: Rule = {
  codes: ['ReprogramNeeded'],
  cell: 'A1d',
  because: 'new credentials reach a device by a hand, a cable or an update of its firmware',
  check: (context) =>
    checkPolicies(context, deciding(), (policy) => {
      const asked = reprogramming(policy)
      if (asked.length === 0) return undefined
      const message = `with ${asked.join(' and ')} somebody has to program devices with new credentials`
      const hint = 'plan for it, and for heardWithin to be long enough; the source serves devices until then'
      return note({ code: 'ReprogramNeeded', message, hint })
    }),
}

export const CREDENTIAL_RULES: readonly Rule[] = [keepsSource, resetOrReprogram, joinEui, byHand]
