import { error } from './finding.ts'
import type { PolicyDraft } from './plan-document.ts'
import { checkPolicies, type Rule } from './rule.ts'

/** What a policy may not ask of a file. */
const IMPOSSIBLE: readonly {
  readonly field: 'deleteSource' | 'handover' | 'queuedDownlinks' | 'rejoin'
  readonly isAsked: (policy: PolicyDraft) => boolean
  readonly message: string
  readonly hint: string
}[] = [
  {
    field: 'deleteSource',
    isAsked: ({ deleteSource }) => deleteSource !== undefined && deleteSource !== 'never',
    message: 'a file is read and never written, so nothing is deleted on it',
    hint: 'leave deleteSource out, and delete devices by hand where they were served',
  },
  {
    field: 'handover',
    isAsked: ({ handover }) => handover === 'delete-first',
    message: 'a file has nothing that could be deleted first',
    hint: 'leave handover out; within one deployment delete devices by hand before you confirm the handover',
  },
  {
    field: 'queuedDownlinks',
    isAsked: ({ queuedDownlinks }) => queuedDownlinks !== undefined && queuedDownlinks !== 'report',
    message: 'a file has no queue of downlinks',
    hint: 'leave queuedDownlinks out',
  },
  {
    field: 'rejoin',
    isAsked: ({ rejoin }) => rejoin?.trigger === 'source-downlink',
    message: 'a file sends no downlinks',
    hint: 'write rejoin: { trigger: manual }, and send the downlink where the devices are served',
  },
]

const policies: Rule = {
  codes: ['NotOnFile'],
  because: 'whoever serves the devices of a file is stopped by a person, who confirms the handover',
  check: (context) =>
    context.draft.source?.network !== 'file'
      ? []
      : IMPOSSIBLE.flatMap(({ field, isAsked, message, hint }) =>
          checkPolicies(context, [field], (policy) =>
            isAsked(policy) ? error({ code: 'NotOnFile', message, hint }) : undefined,
          ),
        ),
}

export const FILE_SOURCE_RULES: readonly Rule[] = [policies]
