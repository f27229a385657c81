import { relative } from 'node:path'
import type { Diagnostic } from '../domain/diagnostic.ts'
import { FerryError } from '../domain/errors.ts'
import type { JournalRecord, Side } from '../domain/journal.ts'
import type { LoadedPlan, SecretReference, SourceEnd } from '../domain/migration-plan.ts'
import type { NetworkPort } from '../domain/ports.ts'
import type { Secret } from '../domain/secret.ts'
import { derivedDigestKey } from '../engine/device/digests.ts'
import { foldRecord } from '../engine/progress/fold.ts'
import type { DeviceProgress } from '../engine/progress/progress.ts'
import type { StateSummary } from '../state/read-state.ts'
import { openEnd } from './ends.ts'
import type { Host } from './host.ts'
import { type LocalPlan, localPlan } from './local-plan.ts'
import { credentialError, secretOf } from './secrets.ts'
import { openStores, type Stores } from './stores.ts'

/** A plan with its networks, state and digest keys: what plan, apply and verify share. */
export interface Workspace extends LocalPlan {
  readonly source: NetworkPort
  readonly target: NetworkPort
  readonly stores: Stores
  readonly digestKey: { readonly key: string; readonly from: 'plan' | 'derived' }
  /** Warnings met on the way, such as a key file that others may read. */
  readonly warnings: readonly Diagnostic[]
  close(): Promise<void>
}

/** What the state file says; an absent one is serial 0 and no progress. */
export interface KnownState {
  readonly serial: number
  readonly progress: Map<string, DeviceProgress>
  readonly read: StateSummary
  /** The runs, each with the number of records up to it, itself included. */
  readonly runs: readonly { readonly serial: number; readonly opened: OpenedRun }[]
}

type OpenedRun = Extract<JournalRecord, { readonly t: 'open' }>

/**
 * Resolves the plan's secrets and makes its networks; asks nothing of them yet.
 * @throws FerryError kind `credentials` for a secret that is missing, `plan-invalid` for a CA file that can't be read.
 */
export const openWorkspace = async (loaded: LoadedPlan, host: Host): Promise<Workspace> => {
  const { plan } = loaded
  const warnings: Diagnostic[] = []
  const secret = async (reference: SecretReference): Promise<Secret> => {
    const { value, warnings: more } = await secretOf(reference, host.env)
    warnings.push(...more)
    return value
  }
  const [sourceKey, targetKey] = await bothSecrets(
    plan.source.network === 'file' ? undefined : secret(plan.source.apiKey),
    secret(plan.target.apiKey),
  )
  const source = await network(plan.source, sourceKey, 'source', loaded, host)
  const target = await network(plan.target, targetKey, 'target', loaded, host)
  const local = localPlan(loaded)
  const stores = await openStores(local, host)
  const ownKey = plan.digestKey === undefined ? undefined : (await secret(plan.digestKey)).reveal()
  return {
    ...local,
    source,
    target,
    stores,
    digestKey:
      ownKey === undefined
        ? { key: derivedDigestKey(local.lineage, loaded.digest), from: 'derived' }
        : { key: ownKey, from: 'plan' },
    warnings,
    close: async () => {
      await Promise.all([source.close(), target.close(), stores.close()])
    },
  }
}

/** Both are asked for before either failure is told, so that a person mends both at once. */
const bothSecrets = async (
  source: Promise<Secret> | undefined,
  target: Promise<Secret>,
): Promise<readonly [Secret | undefined, Secret]> => {
  const [first, second] = await Promise.allSettled([source, target])
  if (first.status === 'fulfilled' && second.status === 'fulfilled') return [first.value, second.value]
  const failures = [first, second].flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  )
  const findings = failures.flatMap((error) => (error instanceof FerryError ? error.diagnostics : []))
  throw failures.length === findings.length ? credentialError(findings) : failures[0]
}

const network = async (
  end: SourceEnd,
  apiKey: Secret | undefined,
  side: Side,
  { plan }: LoadedPlan,
  host: Host,
): Promise<NetworkPort> =>
  openEnd(end, {
    ...(apiKey === undefined ? {} : { apiKey }),
    maxConcurrency: plan.rollout.maxConcurrency,
    env: host.env,
    onWait: (wait) => host.emit({ event: 'network.slow', side, reason: wait.reason, waitMs: wait.waitMs }),
    ...(host.signal === undefined ? {} : { signal: host.signal }),
  })

/**
 * Reads and folds the state file, whose records `onRecord` is shown too.
 * @throws FerryError kind `stale` for one that is damaged or of another plan.
 */
export const readKnownState = async (
  { state }: Stores,
  onRecord: (record: JournalRecord) => void = () => undefined,
): Promise<KnownState> => {
  const progress = new Map<string, DeviceProgress>()
  const opened: { readonly count: number; readonly record: OpenedRun }[] = []
  let count = 0
  const read = await state.fold((record) => {
    count += 1
    if (record.t === 'open') opened.push({ count, record })
    foldRecord(progress, record)
    onRecord(record)
  })
  const serial = read.status === 'absent' ? 0 : read.serial
  const runs = opened.map(({ count: at, record }) => ({ serial: serial - count + at, opened: record }))
  return { serial, progress, read, runs }
}

/** A path for people: relative to the working folder where it lies below. */
export const shownPath = (path: string, folder: string): string => {
  const short = relative(folder, path)
  return short === '' || short.startsWith('..') ? path : short
}
