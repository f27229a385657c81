import {
  type DeviceRecord,
  type FieldPath,
  type Fields,
  type FieldValue,
  REGISTRIES,
  type Registry,
} from '../../domain/device.ts'
import type { Carrier } from '../../domain/gateway.ts'
import type { StepName } from '../../domain/journal.ts'
import type { Json } from '../../domain/json.ts'
import { carriersOf, PACKET_BROKER } from '../device/carriers.ts'
import type { Desired } from '../device/desired.ts'
import { settingDigests } from '../device/digests.ts'
import { type FieldKind, fieldKind } from '../device/fields.ts'
import { isPartial, withDerived } from '../device/mac-state.ts'
import {
  field,
  fieldsOfKind,
  isObject,
  macState,
  registriesOf,
  sameValue,
  textField,
} from '../device/records.ts'
import { isMuted, MUTE, speaks, TARGET_SPEAKS } from '../device/scheduling.ts'
import { sendInterval } from '../device/send-interval.ts'
import { isLetGo, isOurs } from '../progress/standing.ts'
import {
  type CrossingContext,
  hasIdsOf,
  markAlready,
  markDone,
  onTarget,
  type StepContext,
  targetIds,
} from './context.ts'
import { ensureRemoved, ensureWrite, isApplied, StepFailure } from './ensure.ts'

/** Which registry a step of the import writes. */
const WRITES: { readonly [S in StepName]?: Registry } = {
  'create-identity': 'identity-server',
  'set-join': 'join-server',
  'set-application': 'application-server',
  'set-network': 'network-server',
}

/** Written by a step of its own: a first write of a session sets its start to now, whatever is sent. */
const WRITTEN_LATER: readonly FieldKind[] = ['session-time']

const without = (fields: Fields, registry: Registry, kinds: readonly FieldKind[]): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([path]) => !kinds.includes(fieldKind(registry, path))))

/**
 * Steps 2 to 5: one registry of the target, the Network Server muted. `held` is what the target holds now: from an
 * attempt before this one it may hold fields that are not wanted any more.
 */
export const importInto = async (
  context: CrossingContext,
  step: StepName,
  desired: Desired,
  held: DeviceRecord,
): Promise<void> => {
  const registry = WRITES[step]
  if (registry === undefined) throw new Error(`${step} imports nothing`)
  const before = held.registries[registry]
  const all = without(desired.record.registries[registry] ?? {}, registry, WRITTEN_LATER)
  // The target derives one, which the final write completes.
  const wanted = isPartial(all['mac_state'] as Json) ? without(all, registry, ['mac-state']) : all
  const isSame = isSameSession(registry, before, wanted)
  const kept = raised(registry, wanted, before, isSame ? COUNTED : ['nonce'])
  const fields = registry === 'network-server' ? { ...kept, [MUTE]: false } : kept
  // A counter of 0 is not told: without clearing it, that of an earlier session would stay, and refuse frames.
  // A NwkKey that is not told stays too, and below LoRaWAN 1.1 it would be the one that joins are checked with.
  const overwritten: readonly FieldKind[] = isSame
    ? ['setting', 'root-key']
    : ['setting', 'root-key', 'counter']
  const clear = Object.keys(before ?? {}).filter(
    (path) => overwritten.includes(fieldKind(registry, path)) && fields[path] === undefined,
  )
  const create = registry === 'identity-server' && before === undefined
  const write = {
    registry,
    ids: targetIds(context),
    fields,
    ...(clear.length > 0 ? { clear } : {}),
    ...(create ? { create } : {}),
  }
  if (isApplied(held, write)) return markAlready(context, step)
  await ensureWrite(onTarget(context), step, write)
}

/** Step 6: the target holds what was written; what it counts by itself may be ahead, never behind. */
export const compareImport = async (context: CrossingContext, desired: Desired): Promise<void> => {
  const held = await context.target.read(context.change.target)
  const different: string[] = []
  for (const [registry, fields] of Object.entries(desired.record.registries) as [Registry, Fields][]) {
    for (const [path, value] of Object.entries(without(fields, registry, WRITTEN_LATER))) {
      if (!isThere(registry, path, value, held)) different.push(`${registry} ${path}`)
    }
  }
  if (!isMuted(held)) different.push(`network-server ${MUTE}`)
  if (different.length > 0) {
    throw new StepFailure('compare', {
      code: 'ReadBackDiffers',
      message: `the target does not hold what was written: ${different.slice(0, 5).join(', ')}${different.length > 5 ? ` and ${different.length - 5} more` : ''}`,
      hint: 'the target was taken back and the source left as it is; look for somebody who changes the device, and run again',
    })
  }
  await context.journal.fact({ name: 'applied', settings: settingDigests(desired.record) })
  await markDone(context, 'compare')
}

const isThere = (registry: Registry, path: FieldPath, value: FieldValue, held: DeviceRecord): boolean => {
  const there = field(held, registry, path)
  switch (fieldKind(registry, path)) {
    case 'counter':
      return isReached(value, there)
    case 'mac-state':
      // The muted target hears uplinks too, and counts what it learns from them.
      return isObject(there)
    case 'nonce':
      return isReached(value, there)
    case 'status':
      return true
    default:
      return sameValue(path, value, there)
  }
}

/** Whether a counter is as high as it has to be, or all nonces are known. */
const isReached = (value: FieldValue, there: FieldValue | undefined): boolean =>
  Array.isArray(value)
    ? value.every((nonce) => Array.isArray(there) && there.includes(nonce))
    : Number(there ?? 0) >= Number(value)

/** The higher of two counters, or a list of used nonces with those that only the target knows before it, 10 at most. */
const notLowered = (wanted: FieldValue, held: FieldValue | undefined): FieldValue => {
  if (typeof wanted === 'number' && typeof held === 'number') return Math.max(wanted, held)
  if (!Array.isArray(wanted) || !Array.isArray(held)) return wanted
  const more = held.filter((nonce) => !wanted.includes(nonce))
  return more.length === 0 ? wanted : [...more, ...wanted].slice(-10)
}

/** What the target counts by itself while it is muted. */
const COUNTED: readonly FieldKind[] = ['counter', 'nonce']

/** The fields, those of the given kinds no lower than what the target holds. */
const raised = (
  registry: Registry,
  fields: Fields,
  held: Fields | undefined,
  kinds: readonly FieldKind[] = COUNTED,
): Fields =>
  Object.fromEntries(
    Object.entries(fields).map(([path, value]) => [
      path,
      kinds.includes(fieldKind(registry, path)) ? notLowered(value, held?.[path]) : value,
    ]),
  )

/** Whether the counters that the target holds are those of the session that is to be written. */
const isSameSession = (registry: Registry, held: Fields | undefined, wanted: Fields): boolean => {
  const [before, after] = [held, wanted].map((fields) => fieldsOfKind(registry, fields, ['session']))
  return Object.keys({ ...before, ...after }).every((path) => sameValue(path, before?.[path], after?.[path]))
}

interface FinalWrite {
  readonly registry: Registry
  readonly kinds: readonly FieldKind[]
}

const FINAL: { readonly [S in StepName]?: FinalWrite } = {
  'final-network': { registry: 'network-server', kinds: ['session', 'counter', 'mac-state', 'status'] },
  'final-start-time': { registry: 'network-server', kinds: ['session-time'] },
  'final-join': { registry: 'join-server', kinds: ['nonce'] },
  'final-application': { registry: 'application-server', kinds: ['session', 'counter'] },
}

/**
 * Step 9: what the silent source holds now, lowering nothing that the target has counted meanwhile. A write that
 * would change nothing is left out.
 */
export const writeFinal = async (
  context: CrossingContext,
  step: StepName,
  desired: Desired,
): Promise<void> => {
  const final = FINAL[step]
  if (final === undefined) throw new Error(`${step} is no final write`)
  const { registry, kinds } = final
  // Of a target that others may let speak, the Network Server tells.
  const held = await context.target.read(context.change.target, ['network-server', registry])
  refuseSpeaking(held)
  const carried = withMacState(fieldsOfKind(registry, desired.record.registries[registry], kinds), held)
  const fields = raised(registry, carried, held.registries[registry])
  const write = { registry, ids: targetIds(context), fields }
  if (isApplied(held, write)) return markAlready(context, step)
  // An earlier write of the same session looks much like this one: only the MAC state tells that this one was.
  await ensureWrite(onTarget(context), step, write, (record) =>
    isApplied(record, { ...write, fields: without(fields, registry, ['status']) }),
  )
}

const withMacState = (fields: Fields, held: DeviceRecord): Fields => {
  const [state, derived] = [fields['mac_state'] as Json | undefined, macState(held)]
  if (!isPartial(state) || derived === undefined) return fields
  return { ...fields, mac_state: withDerived(state, derived) }
}

/**
 * Step 11: the target speaks. What it holds at this moment is what being heard is measured against; from the
 * intent on, no run writes its session, counters or MAC state again: that would rewind a living session.
 */
export const unmuteTarget = async (context: CrossingContext): Promise<void> => {
  const { journal, target, change } = context
  const progress = journal.progress()
  if (!isLetGo(progress)) {
    const session = (await target.readSession(change.target)) ?? {}
    const [devAddr, counter] = [session['session.dev_addr'], session['session.last_f_cnt_up']]
    const startedAt = session['session.started_at']
    const { sourceDevAddr = null, interval, heardBy } = progress?.baseline ?? {}
    await journal.fact({
      name: 'baseline',
      devAddr: typeof devAddr === 'string' ? devAddr : null,
      lastFCntUp: typeof counter === 'number' ? counter : 0,
      sourceDevAddr,
      ...(typeof startedAt === 'string' ? { startedAt } : {}),
      ...(interval === undefined ? {} : { interval }),
      ...(heardBy === undefined ? {} : { heardBy }),
    })
  }
  if (context.intent.policy.mutedSource === 'carry' && (await wasMutedBefore(context)))
    return markAlready(context, 'unmute-target')
  const write = {
    registry: 'network-server',
    ids: targetIds(context),
    fields: progress?.sourceScheduling === true ? { [MUTE]: true } : {},
    ...(progress?.sourceScheduling === true ? {} : { clear: [MUTE] }),
  } as const
  await ensureWrite(onTarget(context), 'unmute-target', write, (record) => !isMuted(record))
}

/** Muted by others: before we stopped it, or now where its source is not stopped. */
const wasMutedBefore = async ({ journal, source, change }: CrossingContext): Promise<boolean> => {
  const was = journal.progress()?.sourceScheduling
  return was === undefined ? isMuted(await source.read(change.device)) : was === false
}

const RESETS = 'mac_settings.resets_f_cnt'

/**
 * Once the reset was heard the target need not take counters from 0 again, and recorded frames neither: the setting
 * becomes what the source has, where the source is still there to tell.
 */
export const endReset = async (context: CrossingContext): Promise<void> => {
  const seen = await context.source.read(context.change.device)
  const own = field(seen, 'network-server', RESETS)
  await ensureWrite(onTarget(context), 'end-reset', {
    registry: 'network-server',
    ids: targetIds(context),
    fields: own === undefined ? {} : { [RESETS]: own },
    ...(own === undefined ? { clear: [RESETS] } : {}),
  })
}

/** A record with counters and nonces no lower than what another registration of the same device holds by now. */
export const notBelow = (record: DeviceRecord, other: DeviceRecord): DeviceRecord => ({
  ...record,
  registries: Object.fromEntries(
    (Object.entries(record.registries) as [Registry, Fields][]).map(([registry, fields]) => {
      const held = other.registries[registry]
      const kinds = isSameSession(registry, held, fields) ? COUNTED : (['nonce'] as const)
      return [registry, { ...fieldsOfKind(registry, held, kinds), ...raised(registry, fields, held, kinds) }]
    }),
  ),
})

/** What the target holds, which has to be the whole device with its keys. */
export const readWhole = async (context: CrossingContext, step: StepName): Promise<DeviceRecord> => {
  const { target, change, journal } = context
  const held = await target.read(change.target)
  const hasJoin = journal.progress()?.steps['set-join'] !== undefined
  const written = REGISTRIES.filter((registry) => registry !== 'join-server' || hasJoin)
  const missing = written.filter((registry) => held.registries[registry] === undefined)
  if (missing.length === 0 && hasIdsOf(change, held)) return held
  throw new StepFailure(step, {
    code: 'VanishedFromTarget',
    message: `the target does not hold the whole device any more (${missing.join(', ') || 'other EUIs'}): the source keeps what it has`,
    hint: 'look at the preview: ferry plan',
  })
}

/** Somebody registered the device since the preview; what is neither of our making nor adopted is not touched. */
export const refuseForeign = ({ journal, change }: CrossingContext, held: DeviceRecord): void => {
  const progress = journal.progress()
  const isKnown = isOurs(progress) || (progress?.adopts ?? []).length > 0
  if (registriesOf(held).length === 0 || (isKnown && hasIdsOf(change, held))) return
  throw new StepFailure('create-identity', {
    code: 'ForeignDevice',
    message: `the target has a device ${change.target} now that was not there at the preview`,
    hint: 'look at the preview again: ferry plan',
  })
}

/** Refuses to write to a target that speaks (`TARGET_SPEAKS` says why). */
export const refuseSpeaking = (held: DeviceRecord): void => {
  if (speaks(held)) throw new StepFailure('set-network', TARGET_SPEAKS)
}

/**
 * DevAddr that the device uses on the source: a session on the target with another one is a new one. And how often it sends,
 * to know when it is silent.
 */
export const rememberSource = async (context: CrossingContext, source: DeviceRecord): Promise<void> => {
  const sourceDevAddr = textField(source, 'network-server', 'session.dev_addr') ?? null
  const interval = sendInterval(source)
  const heardBy = carriersOf(source).filter(isRemembered).slice(0, REMEMBERED)
  await context.journal.fact({
    name: 'baseline',
    devAddr: null,
    lastFCntUp: 0,
    sourceDevAddr,
    ...(interval === undefined ? {} : { interval }),
    ...(heardBy.length === 0 ? {} : { heardBy }),
  })
}

/** Gateways that are kept in mind of one device. */
const REMEMBERED = 5
/** What a state takes: ids of gateways as The Things Stack has them, and EUIs. */
const isRemembered = ({ id, eui }: Carrier): boolean =>
  id !== PACKET_BROKER &&
  id.length <= 36 &&
  /^[a-z0-9](?:-?[a-z0-9]){2,35}$/.test(id) &&
  (eui === undefined || /^[0-9A-F]{16}$/.test(eui))

const UNDO: readonly { readonly step: StepName; readonly registry: Registry; readonly of: StepName }[] = [
  { step: 'undo-application', registry: 'application-server', of: 'set-application' },
  { step: 'undo-network', registry: 'network-server', of: 'set-network' },
  { step: 'undo-join', registry: 'join-server', of: 'set-join' },
  { step: 'undo-identity', registry: 'identity-server', of: 'create-identity' },
]

/** Takes back what this tool wrote on the target, in reverse; the source has not been stopped for it, or was started again. */
export const undoImport = async (context: StepContext): Promise<void> => {
  const held = await context.target.read(context.change.target)
  if (registriesOf(held).length > 0 && !hasIdsOf(context.change, held)) return
  for (const { step, registry, of } of UNDO) {
    const progress = context.journal.progress()
    const status = progress?.steps[of]
    if (progress?.adopts.includes(registry) === true) continue
    if (progress?.registeredBefore === true || status === 'done' || status === 'unknown') {
      await ensureRemoved(onTarget(context), step, registry, targetIds(context))
    }
  }
}
