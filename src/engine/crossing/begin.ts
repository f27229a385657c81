import type { DeviceRecord, Registry } from '../../domain/device.ts'
import type { Route } from '../../domain/journal.ts'
import { rootKeysDigest, sessionDigest, settingsDigest } from '../device/digests.ts'
import { euisOf } from '../device/euis.ts'
import { hasSession, registriesOf } from '../device/records.ts'
import { activationOf, keepsKeys } from '../device/route.ts'
import { isOurs, rootKeysReplaced, wasOnTarget } from '../progress/standing.ts'
import { type CrossingContext, desiredFrom, hasIdsOf } from './context.ts'

/** It is to be created, and we had it on the target before: whatever the steps say, it is not there any more. */
export const hasVanished = ({ change, journal }: CrossingContext): boolean =>
  change.action === 'create' && wasOnTarget(journal.progress())

/** The plan keeps sessions, and the device has one now that it had not at the preview: it is not what was reviewed. */
export const joinedSincePreview = ({ change, intent }: CrossingContext, source: DeviceRecord): boolean =>
  intent.policy.persistSession &&
  change.route === 'joining-anew' &&
  activationOf(source) === 'otaa' &&
  hasSession(source)

/**
 * Begins the crossing, or goes on with one that was begun if the source is still what it began with. The answer is
 * why it can not: keys or settings on the source are not those of the preview (what was previewed is what happens).
 */
export const begin = async (context: CrossingContext, seen: DeviceRecord): Promise<string | undefined> => {
  const { journal, change, digestKey } = context
  const route = change.route as Route
  const session = keepsKeys(route) ? sessionDigest(seen, digestKey) : null
  const rootKeys = rootKeysDigest(seen, digestKey)
  const keys = journal.progress()?.sourceKeys
  // Root keys that we replaced ourselves say nothing of the device.
  const isSameRoot = rootKeysReplaced(journal.progress()) || keys?.rootKeys === rootKeys
  const isUnchanged = keys !== undefined && keys.session === session && isSameRoot
  if (joinedSincePreview(context, seen)) return 'it joined on the source after the preview'
  if (isOurs(journal.progress()) && isUnchanged && !hasVanished(context)) return undefined
  const changed = await changedSincePreview(context, seen, rootKeys)
  if (changed !== undefined) return changed
  const because = isUnchanged ? 'it is gone from the target' : 'the device joined anew, or its keys changed'
  await beginAgain(context, keys === undefined ? undefined : because, await adoptedBy(context))
  await journal.fact({ name: 'source-keys', session, rootKeys })
  return undefined
}

/** Voids what is known of the steps; what was done to the source, and whose the target's records are, is kept. */
export const beginAgain = (
  { journal, change, wave }: CrossingContext,
  because: string | undefined,
  adopts: readonly Registry[] = [],
): Promise<void> =>
  journal.append({
    t: 'begin',
    device: change.device,
    at: journal.now(),
    target: change.target,
    ...euisOf(change),
    route: change.route as Route,
    ...(change.handover === undefined ? {} : { handover: change.handover }),
    ...(change.becomes === undefined ? {} : { becomes: change.becomes }),
    ...(adopts.length === 0 ? {} : { adopts }),
    ...(because === undefined ? {} : { because }),
    ...(wave === undefined ? {} : { wave }),
  })

/** Registries of the target that hold the device in part, by others: the plan completes them, and never takes them back. */
const adoptedBy = async ({
  intent,
  target,
  change,
  journal,
}: CrossingContext): Promise<readonly Registry[]> => {
  if (intent.policy.adopt !== 'partial' || isOurs(journal.progress())) return []
  const held = await target.read(change.target)
  return hasIdsOf(change, held) ? registriesOf(held) : []
}

const changedSincePreview = async (
  context: CrossingContext,
  seen: DeviceRecord,
  rootKeys: string | null,
): Promise<string | undefined> => {
  const { expect } = context.change
  if (registriesOf(seen).length === 0) return 'it is gone from the source'
  if (expect === undefined) return undefined
  if (rootKeys !== expect.rootKeys) return 'its root keys changed on the source after the preview'
  const desired = await desiredFrom(context, seen)
  return settingsDigest(desired.record) === expect.settings
    ? undefined
    : 'its settings changed on the source after the preview'
}
