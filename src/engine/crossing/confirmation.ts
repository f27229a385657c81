import type { DeviceChange } from '../../domain/change-set.ts'
import { NOT_CONFIRMED } from '../../domain/journal.ts'
import { CONFIRM } from '../progress/steps.ts'

/** Nothing is left for an apply to do before a person says that the device is stopped where it was served. */
export const awaitsConfirmation = ({ action, later }: DeviceChange): boolean =>
  action === 'wait' && later[0] === CONFIRM

/** What becomes of such a device in a run that nobody confirmed it to. */
export const notConfirmed = {
  status: 'deferred',
  error: {
    code: NOT_CONFIRMED,
    message:
      'it is complete on the target, and muted there until somebody confirms that it is stopped where it is served',
    hint: 'stop it there, then run ferry apply again with --confirm-handover',
  },
} as const
