import type { PolicyDraft } from './plan-document.ts'

/** What deletes the device on the source before the target answers it, as it is written; undefined where nothing does. */
export const deletedBefore = ({ handover, deleteSource }: PolicyDraft): string | undefined => {
  if (handover === 'delete-first') return 'handover: delete-first'
  return deleteSource === 'after-import' ? 'deleteSource: after-import' : undefined
}

/** Whether the device stays on the source, stopped. */
export const isKept = ({ deleteSource, handover }: PolicyDraft): boolean =>
  deleteSource === 'never' && handover !== 'delete-first'

/** Whether ABP devices get new credentials. */
export const changesAbp = ({ abp }: PolicyDraft): boolean => abp === 'reprogram' || abp === 'to-otaa'

/** Whether some devices go on with their session: those that are not to be programmed anew. */
export const keepsSession = (policy: PolicyDraft): boolean =>
  policy.persistSession === true && (policy.rootKeys !== 'generate' || !changesAbp(policy))

/** Whether some devices keep their DevAddr and session keys; new credentials come with a DevAddr of the target. */
export const keepsDevAddr = (policy: PolicyDraft): boolean =>
  keepsSession(policy) || policy.resetFrameCounters === true
