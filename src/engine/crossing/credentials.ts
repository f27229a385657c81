import { randomBytes } from 'node:crypto'
import type { NewCredentials } from '../../domain/credentials.ts'
import type { DeviceRecord } from '../../domain/device.ts'
import type { DevAddr } from '../../domain/identifiers.ts'
import type { Route } from '../../domain/journal.ts'
import { Secret } from '../../domain/secret.ts'
import { rootKeysDigest, sessionDigest } from '../device/digests.ts'
import { euisOf } from '../device/euis.ts'
import { credentialFields, credentialsIn, hasNewRootKeys, versionOf } from '../device/reprogrammed.ts'
import { profileOf, versionAtLeast } from '../device/route.ts'
import { type CrossingContext, markDone, targetIds } from './context.ts'
import { StepFailure } from './ensure.ts'

/** 16 random bytes. */
export const randomKey = (): Secret => new Secret(randomBytes(16).toString('hex').toUpperCase())

/**
 * What the device is to be programmed with, safe in the escrow folder before the target is written. A run that goes on
 * takes what was made: decrypted, or as the target confirms it; where neither can be had, it is made anew, unless the
 * target was let go before: then somebody may have programmed the device already.
 */
export const ensureCredentials = async (
  context: CrossingContext,
  source: DeviceRecord,
): Promise<NewCredentials> => {
  const { journal, escrow } = context
  const known = journal.progress()?.credentials
  if (known !== undefined) {
    const made = escrow.canRead
      ? await escrow.loadCredentials(known)
      : await confirmedByTarget(context, source, known)
    if (made !== undefined && isForSame(made, headOf(context, source))) return made
    if (made === undefined && journal.progress()?.livedOnTarget === true) throw unreadable()
  }
  const made = await makeCredentials(context, source)
  const place = await escrow.storeCredentials(made)
  await journal.fact({ name: 'credentials', ...place, ...digestsOf(context, made) })
  await markDone(context, 'credentials')
  return made
}

const unreadable = (): StepFailure =>
  new StepFailure('credentials', {
    code: 'IdentityMissing',
    message: 'it may be programmed with the keys that were made for it already, and these can not be read',
    hint: 'name the identity of one of escrow.recipients in FERRY_AGE_IDENTITY, and run again',
  })

const makeCredentials = async (context: CrossingContext, source: DeviceRecord): Promise<NewCredentials> => {
  const { change, intent, target } = context
  const route = change.route as Route
  const head = headOf(context, source)
  const is11 = versionAtLeast(head.lorawanVersion, 'MAC_V1_1')
  if (route === 'abp-reprogrammed') return { ...head, session: newSession(await target.newDevAddr(), is11) }
  if (!hasNewRootKeys(source, route, intent)) return { ...head, ...credentialsIn(source, route, is11) }
  return { ...head, rootKeys: { appKey: randomKey(), ...(is11 ? { nwkKey: randomKey() } : {}) } }
}

/** All but the keys. */
const headOf = (
  context: CrossingContext,
  source: DeviceRecord,
): Omit<NewCredentials, 'rootKeys' | 'session'> => {
  const { change, intent } = context
  return {
    device: change.device,
    target: change.target,
    activation: change.route === 'abp-reprogrammed' ? 'abp' : 'otaa',
    lorawanVersion: versionOf(source, intent),
    frequencyPlan: intent.set.frequencyPlan ?? profileOf(source).frequencyPlan,
    ...euisOf(targetIds(context)),
  }
}

/** A plan that is edited between two attempts may want another activation, other EUIs or keys of another version. */
const isForSame = (made: NewCredentials, head: ReturnType<typeof headOf>): boolean =>
  made.activation === head.activation &&
  made.lorawanVersion === head.lorawanVersion &&
  made.devEui === head.devEui &&
  made.joinEui === head.joinEui

const newSession = (devAddr: DevAddr, is11: boolean): NonNullable<NewCredentials['session']> => ({
  devAddr,
  appSKey: randomKey(),
  fNwkSIntKey: randomKey(),
  ...(is11 ? { sNwkSIntKey: randomKey(), nwkSEncKey: randomKey() } : {}),
})

interface Digests {
  readonly rootKeys: string | null
  readonly session: string | null
}

const digestsOf = (context: CrossingContext, made: NewCredentials): Digests => {
  const record = { ids: targetIds(context), registries: credentialFields(made) }
  return {
    rootKeys: rootKeysDigest(record, context.digestKey),
    session: sessionDigest(record, context.digestKey),
  }
}

/** What the target holds, if it is what was made: the same digests as when it was stored. */
const confirmedByTarget = async (
  context: CrossingContext,
  source: DeviceRecord,
  known: Digests,
): Promise<NewCredentials | undefined> => {
  const { target, change } = context
  const head = headOf(context, source)
  const is11 = versionAtLeast(head.lorawanVersion, 'MAC_V1_1')
  const held = await target.read(change.target)
  const found = { ...head, ...credentialsIn(held, change.route as Route, is11) }
  const { rootKeys, session } = digestsOf(context, found)
  return rootKeys === known.rootKeys && session === known.session ? found : undefined
}
