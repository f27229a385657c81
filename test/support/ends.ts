import type { NewCredentials } from '../../src/domain/credentials.ts'
import { loadPlan } from '../../src/index.ts'
import { newCredentials } from '../../src/operations/credentials.ts'
import { localPlan } from '../../src/operations/local-plan.ts'
import { openStores } from '../../src/operations/stores.ts'
import { type DeviceSpec, keysOf } from './fleet.ts'
import type { Migration } from './migration.ts'
import { call, type Store, storeOf } from './stack-api.ts'

const REGISTRIES = ['identityServer', 'joinServer', 'networkServer', 'applicationServer'] as const

/** What is random in what a network remembers of frames. */
const PASSING = ['correlation_ids', 'raw_payload', 'uplink_token', 'frm_payload', 'payload', 'mic']

/** Times from this test run are those of the run, and differ; those from before are of the devices. */
const BEGUN = Date.now()
const isOfThisRun = (value: unknown): boolean =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) && Date.parse(value) >= BEGUN - 1000

/** What frames that a device sends while a run is down move. */
const COUNTED = [
  'last_f_cnt_up',
  'last_n_f_cnt_down',
  'last_a_f_cnt_down',
  'last_conf_f_cnt_down',
  'mac_state',
  'power_state',
  'queued_application_downlinks',
  'last_dev_nonce',
  'last_join_nonce',
  'used_dev_nonces',
  'battery_percentage',
  'downlink_margin',
  'last_dev_status_received_at',
]

/** What `ferry escrow credentials` would give for these devices. */
export const credentialsOf = async (migration: Migration): Promise<readonly NewCredentials[]> => {
  const loaded = await loadPlan(`${migration.folder}/fleet.yaml`)
  if (!loaded.ok) throw new Error('the plan does not load')
  const local = localPlan(loaded.value)
  return (
    await newCredentials(
      local,
      await openStores(local, { env: migration.env }),
      undefined,
      migration.identity.identity,
    )
  ).credentials
}

type Names = ReadonlyMap<string, string>

const namesOfNew = (credentials: readonly NewCredentials[]): Names => {
  const names = new Map<string, string>()
  for (const { device, rootKeys, session } of credentials) {
    const keys = { ...rootKeys, ...session }
    for (const [use, key] of Object.entries(keys))
      names.set(typeof key === 'string' ? key : key.reveal(), `(new ${use} of ${device})`)
  }
  return names
}

/**
 * What both networks hold in the end, so that two runs can be compared: keys and addresses of the fleet as they are,
 * those that were made for a device by their use, others (of a join, or random bytes) as such; queues with what waits
 * in them.
 */
export const endOf = async (
  migration: Migration,
  specs: readonly DeviceSpec[],
  startedAt: ReadonlySet<string>,
  { isCounted = true, isReprogrammed = false } = {},
): Promise<unknown> => {
  const known = new Set(specs.flatMap((spec) => Object.values(keysOf(spec))))
  const made = isReprogrammed ? namesOfNew(await credentialsOf(migration)) : new Map()
  const tell = function (this: unknown, name: string, value: unknown): unknown {
    // Ids hold a DevAddr where a session was, as the server derived it at some time.
    if (name === 'dev_addr' && isTree(this) && 'device_id' in this) return undefined
    if (PASSING.includes(name) || (!isCounted && COUNTED.includes(name))) return undefined
    if (name === 'started_at') return startedAt.has(String(value)) ? '(as on the source)' : '(later)'
    if (isOfThisRun(value)) return '(now)'
    const isNamed =
      name === 'dev_addr' || name === 'session_key_id' || (name === 'key' && typeof value === 'string')
    if (!isNamed) return value
    const text = String(value)
    return known.has(text) ? text : (made.get(text) ?? '(other)')
  }
  const of = (store: Store): unknown =>
    JSON.parse(
      JSON.stringify(Object.fromEntries(REGISTRIES.map((registry) => [registry, store[registry]])), tell),
    )
  const isOne = migration.source.url === migration.target.url
  return {
    source: of(await storeOf(migration.source)),
    ...(isOne ? {} : { target: of(await storeOf(migration.target)) }),
    ...(isCounted ? { waiting: await waitingIn(migration, specs) } : {}),
  }
}

/** Payloads that wait to be sent, by network and device; undefined where it does not know the device. */
export const waitingIn = async (
  migration: Migration,
  specs: readonly DeviceSpec[],
): Promise<Readonly<Record<string, unknown>>> => {
  const found: Record<string, unknown> = {}
  for (const side of ['source', 'target'] as const)
    for (const { id } of specs) {
      const path = `/as/applications/${migration[side].application}/devices/${id}/down`
      const answer = await call(migration[side], 'GET', path).catch(() => undefined)
      const items = (answer?.['downlinks'] ?? []) as readonly Record<string, unknown>[]
      found[`${side} ${id}`] = items.map(({ f_port, frm_payload, confirmed, priority }) => ({
        f_port,
        frm_payload,
        confirmed,
        priority,
      }))
    }
  return found
}

/** When the sessions of the fleet began on the source. */
export const sessionStarts = async (migration: Migration): Promise<ReadonlySet<string>> => {
  const { networkServer } = await storeOf(migration.source)
  const starts = Object.values(networkServer).map(
    (record) => (record['session'] as { readonly started_at?: string } | undefined)?.started_at,
  )
  return new Set(starts.filter((start) => start !== undefined))
}

const isTree = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** Paths at which two ends differ, with both values where they are short. */
export const differences = (found: unknown, expected: unknown, path = ''): readonly string[] => {
  if (isTree(found) && isTree(expected))
    return [...new Set([...Object.keys(found), ...Object.keys(expected)])].flatMap((name) =>
      differences(found[name], expected[name], `${path}/${name}`),
    )
  return found === expected
    ? []
    : [`${path}: ${JSON.stringify(found)?.slice(0, 60)}, not ${JSON.stringify(expected)?.slice(0, 60)}`]
}
