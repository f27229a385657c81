import { isOneDeployment } from './addresses.ts'
import { error, note, warning } from './finding.ts'
import { deletedBefore, keepsDevAddr } from './policy-meaning.ts'
import { checkEffects, checkPolicies, policyScopes, type Rule } from './rule.ts'

const deleteFirst: Rule = {
  codes: ['DeleteFirst'],
  cell: 'A2c',
  because:
    'a device that is deleted before it is created is on no network in between, and nothing hears its uplinks',
  check: (context) => {
    const { source, target } = context.draft
    const only = isOneDeployment(source, target)
    const message =
      'uplinks between delete and create are lost, and the escrow alone holds each device meanwhile'
    const identity = 'have an age identity of escrow.recipients at hand for apply'
    return checkPolicies(context, ['handover'], ({ handover }) => {
      if (handover !== 'delete-first') return undefined
      if (only) return note({ code: 'DeleteFirst', message, hint: identity })
      const hint = `${identity}; between deployments stop-first loses no uplink`
      return warning({ code: 'DeleteFirst', message, hint })
    })
  },
}

const deleteSourceEffect: Rule = {
  codes: ['WithoutEffect'],
  cell: 'A4c',
  because: 'delete-first deletes every device on the source, before anything else',
  check: (context) =>
    checkEffects(context, 'deleteSource', ({ handover }) =>
      handover === 'delete-first'
        ? {
            message: 'deleteSource has no effect with handover: delete-first, which deletes every device',
            hint: 'leave it out, or write handover: stop-first',
          }
        : undefined,
    ),
}

const preventRejoinEffect: Rule = {
  codes: ['WithoutEffect'],
  cell: 'A4d',
  because: 'a device that is deleted before the target answers cannot join the source again',
  check: (context) =>
    checkEffects(context, 'preventRejoin', (policy) => {
      const deletes = policy.preventRejoin === 'replace-root-keys' ? deletedBefore(policy) : undefined
      if (deletes === undefined) return undefined
      const message = `preventRejoin has no effect with ${deletes}`
      return { message, hint: 'leave it out; what is deleted cannot be joined' }
    }),
}

const retireEffect: Rule = {
  codes: ['WithoutEffect'],
  because: 'retireAfter is the time from being heard to the delete',
  check: (context) => {
    const path = ['verify', 'retireAfter']
    const deletes = policyScopes(context).some(
      ({ policy }) => policy.deleteSource === 'after-heard' && policy.handover !== 'delete-first',
    )
    if (deletes || context.draft.policy === undefined || !context.written(path)) return []
    const message = 'retireAfter has no effect, as nothing has deleteSource: after-heard'
    const hint = 'leave it out, or write deleteSource: after-heard'
    return [warning({ code: 'WithoutEffect', message, hint, path })]
  },
}

const queueCopied: Rule = {
  codes: ['ConflictingPolicy'],
  because: 'the queue of downlinks is deleted with the device on the source',
  check: (context) =>
    checkPolicies(context, ['queuedDownlinks', 'handover'], ({ queuedDownlinks, handover }) =>
      queuedDownlinks === 'copy' && handover === 'delete-first'
        ? error({
            code: 'ConflictingPolicy',
            message:
              'queuedDownlinks is copy, and with handover: delete-first the queue is gone with the source',
            hint: 'write queuedDownlinks: wait-empty',
          })
        : undefined,
    ),
}

const queueEffect: Rule = {
  codes: ['WithoutEffect'],
  because:
    'a new session has new counters, so downlinks that were counted for the old one cannot be sent in it',
  check: (context) =>
    checkEffects(context, 'queuedDownlinks', (policy) =>
      policy.queuedDownlinks === 'copy' && policy.persistSession !== undefined && !keepsDevAddr(policy)
        ? {
            message: 'queuedDownlinks: copy has no effect where no session is kept; they are reported',
            hint: 'leave it out, or write wait-empty',
          }
        : undefined,
    ),
}

export const HANDOVER_RULES: readonly Rule[] = [
  deleteFirst,
  deleteSourceEffect,
  preventRejoinEffect,
  retireEffect,
  queueCopied,
  queueEffect,
]
