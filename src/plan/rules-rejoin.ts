import { error, note } from './finding.ts'
import type { PolicyDraft } from './plan-document.ts'
import { changesAbp, deletedBefore } from './policy-meaning.ts'
import { checkEffects, checkPolicies, policyScopes, type Rule } from './rule.ts'

const OF_DOWNLINK = ['fPort', 'payload', 'confirmed'] as const

const isTriggered = ({ rejoin }: PolicyDraft): boolean => rejoin?.trigger === 'source-downlink'

const downlink: Rule = {
  codes: ['MissingField', 'ConflictingPolicy'],
  because: 'a downlink needs its port, and without a downlink there is nothing to write about one',
  check: (context) =>
    policyScopes(context).flatMap(({ path, policy, own }) => {
      const trigger = policy.rejoin?.trigger
      if (!own.includes('rejoin') || trigger === undefined) return []
      const at = [...path, 'rejoin']
      if (trigger === 'source-downlink') {
        if (context.written([...at, 'fPort'])) return []
        const message = '"fPort" is missing under "rejoin", and a downlink needs its port'
        const hint = 'write fPort: 1 to 223, by the manual of the device'
        return [error({ code: 'MissingField', message, hint, path: at })]
      }
      return OF_DOWNLINK.filter((field) => context.written([...at, field])).map((field) => {
        const message = `"${field}" is for trigger source-downlink, and the trigger is ${trigger}`
        const hint = 'leave it out, or write trigger: source-downlink'
        return error({ code: 'ConflictingPolicy', message, hint, path: [...at, field] })
      })
    }),
}

const senderGone: Rule = {
  codes: ['ConflictingPolicy'],
  cell: 'A8d',
  because: 'the source sends the downlink and serves the old session until the device has joined the target',
  check: (context) =>
    checkPolicies(context, ['rejoin', 'handover', 'deleteSource'], (policy) => {
      const gone = isTriggered(policy) ? deletedBefore(policy) : undefined
      if (gone === undefined) return undefined
      const message = `rejoin is by a downlink of the source, and with ${gone} nobody is left to send it`
      const hint = 'write handover: stop-first with deleteSource: after-heard or never, or trigger: manual'
      return error({ code: 'ConflictingPolicy', message, hint })
    }),
}

const twoAccept: Rule = {
  codes: ['ConflictingPolicy'],
  cell: 'A4d',
  because: 'a device that a downlink makes join has to find one network that accepts, and not two',
  check: (context) =>
    checkPolicies(context, ['preventRejoin', 'rejoin'], (policy) =>
      isTriggered(policy) && policy.preventRejoin === 'none'
        ? error({
            code: 'ConflictingPolicy',
            message:
              'preventRejoin is none, and with a downlink as trigger both networks would accept the join',
            hint: 'leave preventRejoin out: the root keys on the source have to be replaced first',
          })
        : undefined,
    ),
}

const effect: Rule = {
  codes: ['WithoutEffect'],
  cell: 'A8d',
  because: 'what makes a device join anew is for devices that keep their keys and not their session',
  check: (context) =>
    checkEffects(context, 'rejoin', ({ rejoin, persistSession, rootKeys }) => {
      if (rejoin?.trigger === undefined || rejoin.trigger === 'none') return undefined
      const hint = 'leave rejoin out, or write it in an override for devices that join anew'
      if (persistSession === true)
        return { message: 'rejoin has no effect with persistSession: true, as devices go on with it', hint }
      if (rootKeys === 'generate')
        return {
          message: 'rejoin has no effect with rootKeys: generate, as devices join once programmed',
          hint,
        }
      return undefined
    }),
}

const joinNeeded: Rule = {
  codes: ['JoinNeeded'],
  cell: 'A8d',
  because:
    'an import makes no device join: some notice by themselves, others need a downlink or a power cycle',
  check: (context) =>
    checkPolicies(context, ['persistSession'], (policy) => {
      if (policy.persistSession !== false || policy.resetFrameCounters === true) return undefined
      // all are to be programmed, which is said (ReprogramNeeded)
      if (policy.rootKeys === 'generate' && changesAbp(policy)) return undefined
      const [blocked, override] = changesAbp(policy)
        ? ['', '']
        : [
            ', and ABP devices are blocked as they cannot join',
            '; ABP devices need an override with persistSession: true, resetFrameCounters: true or abp: reprogram',
          ]
      const plan = isTriggered(policy)
        ? 'plan for those that do not answer the downlink: the source goes on serving them'
        : 'plan for power cycles'
      const message = `OTAA devices have to join the target${blocked}`
      return note({ code: 'JoinNeeded', message, hint: `${plan}${override}` })
    }),
}

export const REJOIN_RULES: readonly Rule[] = [downlink, senderGone, twoAccept, effect, joinNeeded]
