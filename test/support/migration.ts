import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApplyResult, applyChanges } from '../../src/engine/run/apply.ts'
import { type EscrowEntry, listEscrow, readEscrowFile } from '../../src/escrow/escrow-file.ts'
import { type AgeIdentity, generateIdentity } from '../../src/escrow/identity.ts'
import {
  type ApplyOptions,
  type ApplyOutcome,
  type Audited,
  applyMigration,
  auditMigration,
  type ChangeSet,
  csvLine,
  csvSheets,
  type DeviceRecord,
  type EscrowPort,
  exportDevice,
  exportMigration,
  type FerryEvent,
  type Host,
  type JournalPort,
  loadPlan,
  type NetworkPort,
  openWorkspace,
  type Planned,
  planMigration,
  type RollbackOptions,
  type RollbackOutcome,
  rollBackMigration,
  type Verified,
  type VerifyOptions,
  verifyMigration,
  type Workspace,
} from '../../src/index.ts'
import { openEscrow } from '../../src/operations/open-escrow.ts'
import { type RunningSimulator, type SimulatorOptions, startSimulator } from '../../src/simulator/index.ts'
import { call, type TestNetwork } from './stack-api.ts'
import { escrowAt, type StateServer, stateAt } from './state-server.ts'

const APPLICATION = 'meters'
/** A second, where V2 itself would take 5. */
const V2_REQUESTS = 500
const SECOND_APPLICATION = 'meters-two'

/** Two local networks with an empty application each, a folder, a clock that tests set, and the operations on them. */
export interface Migration {
  readonly source: TestNetwork
  readonly target: TestNetwork
  readonly folder: string
  readonly identity: AgeIdentity
  /** The keys that the plan names. */
  readonly env: Readonly<Record<string, string>>
  readonly events: readonly FerryEvent[]
  /** Moves the clock of the tool, in milliseconds. */
  readonly pass: (milliseconds: number) => void
  /** Writes the plan; `rest` is YAML from `devices:` on, with what every plan needs filled in where it is missing. */
  readonly writePlan: (rest: string) => Promise<string>
  /** Writes the file that is the plan's source, as the source network has its devices now. */
  readonly writeSource: () => Promise<void>
  readonly plan: () => Promise<Planned>
  readonly apply: (options?: Partial<ApplyOptions>) => Promise<ApplyOutcome>
  /** Looks once; with `wait` so many milliseconds, which pass as fast as the looks do. */
  readonly verify: (options?: Partial<VerifyOptions>) => Promise<Verified>
  readonly rollBack: (options?: Partial<RollbackOptions>) => Promise<RollbackOutcome>
  readonly audit: () => Promise<Audited>
  /** Applies with ports of the caller's making around the real ones: to interrupt a run anywhere. */
  readonly applyThrough: (wrap: Wrap) => Promise<ApplyResult>
  readonly planText: () => Promise<string>
  readonly stateText: () => Promise<string>
  /** Every record of the escrow, decrypted. */
  readonly escrowEntries: () => Promise<readonly EscrowEntry[]>
  /** Ids of the devices whose full record the escrow gives back, decrypted. */
  readonly escrowed: () => Promise<ReadonlySet<string>>
  /** Remembers what the networks hold and what lies in the folder; the answer puts both back, any number of times. */
  readonly snapshot: () => Promise<() => Promise<void>>
  /** Where state and escrow lie, if not on this machine alone. */
  readonly remote: StateServer | undefined
  /** Takes away what only this machine has, and gives back the lock at the address, as an operator would. */
  readonly loseRunner: () => Promise<void>
  readonly close: () => Promise<void>
}

interface FileSource {
  /** Relative to the plan. */
  readonly path: string
  readonly format?: 'devices-json' | 'csv'
  /** Devices that can not be exported are left out; else they are a mistake of the test. */
  readonly isPartial?: true
}

export interface Wrap {
  readonly journal?: (journal: JournalPort) => JournalPort
  readonly network?: (network: NetworkPort, side: 'source' | 'target') => NetworkPort
  readonly escrow?: (escrow: EscrowPort) => EscrowPort
}

export interface MigrationOptions {
  /** The plan's target key is that of a person, who sees other applications; else of the application alone. */
  readonly seesAll?: boolean
  /** Source and target are two applications of one network, where a pair of EUIs exists once. */
  readonly oneNetwork?: boolean
  /** The source is a The Things Network Stack V2, whose limit of requests is raised. */
  readonly fromV2?: boolean
  /** The plan's source is a file; the source network is what serves the devices, and what the file is written from. */
  readonly fromFile?: FileSource
  /** Without an identity the escrow can be written and not be read. */
  readonly withoutIdentity?: boolean
  /** Rights of the plan's key of the source; those of an administrator when left out. */
  readonly sourceRights?: readonly string[]
  /** The plan says that the source has no Join Server. */
  readonly joinElsewhere?: boolean
  /** State and escrow lie there too: the folder is that of a runner that may be lost. */
  readonly remote?: StateServer
  /** More for the simulator, such as `split` or registries that are not served. */
  readonly simulator?: SimulatorOptions
}

export const startMigration = async (options: MigrationOptions = {}): Promise<Migration> => {
  const { seesAll = false, oneNetwork = false, withoutIdentity = false } = options
  const fromV2 = options.fromV2 === true
  const simulator: RunningSimulator = await startSimulator({
    empty: options.simulator?.fleet === undefined,
    ...(fromV2 ? { ttnV2: { requestsPerSecond: V2_REQUESTS } } : {}),
    ...options.simulator,
  })
  // A fleet of the simulator's own is in the application that it makes.
  const hasFleet = options.simulator?.fleet !== undefined
  const [first, other] = simulator.networks.map(
    (network): TestNetwork => ({ ...network, ...(hasFleet ? {} : { application: APPLICATION }) }),
  )
  const source: TestNetwork | undefined =
    simulator.v2 === undefined ? first : { ...simulator.v2, apiKey: simulator.v2.accessKey }
  if (source === undefined || other === undefined) throw new Error('two networks are needed')
  const target = oneNetwork ? { ...source, application: SECOND_APPLICATION } : other
  for (const network of hasFleet ? [] : fromV2 ? [target] : [source, target]) {
    await call(network, 'POST', '/users/admin/applications', {
      application: { ids: { application_id: network.application } },
    })
  }
  const { key } = await call(target, 'POST', `/applications/${target.application}/api-keys`, {
    name: 'migration',
    rights: ['RIGHT_APPLICATION_ALL'],
  })
  const sourceKey =
    options.sourceRights === undefined
      ? source.apiKey
      : String(
          (
            await call(source, 'POST', `/applications/${source.application}/api-keys`, {
              name: 'migration',
              rights: options.sourceRights,
            })
          )['key'],
        )
  const folder = await mkdtemp(join(tmpdir(), 'ferry-test-'))
  const scratch = await mkdtemp(join(tmpdir(), 'ferry-test-snapshots-'))
  const identity = await generateIdentity()
  const file = join(folder, 'fleet.yaml')
  const events: FerryEvent[] = []
  let offset = 0
  const written = options.fromFile
  const remote = options.remote
  const env = {
    ...(remote === undefined ? {} : { STATE_PASSWORD: remote.password }),
    ...(fromV2 ? { FERRY_V2_REQUESTS_PER_SECOND: String(V2_REQUESTS) } : {}),
    SOURCE_API_KEY: sourceKey,
    TARGET_API_KEY: seesAll ? target.apiKey : String(key),
  }
  const host: Host = {
    env,
    clock: () => new Date(Date.now() + offset),
    owner: { pid: process.pid, host: 'test', user: 'test', bootId: 'test', isAlive: () => true },
    emit: (event) => events.push(event),
    tool: 'lorawan-ferry test',
    folder,
    draining: () => false,
    pause: async () => undefined,
    ...(withoutIdentity ? {} : { identity: identity.identity }),
  }
  const workspace = async (): Promise<Workspace> => {
    const loaded = await loadPlan(file)
    if (!loaded.ok)
      throw new Error(loaded.diagnostics.map((finding) => `${finding.code} ${finding.message}`).join('\n'))
    return openWorkspace(loaded.value, host)
  }
  const within = async <T>(work: (space: Workspace) => Promise<T>): Promise<T> => {
    const space = await workspace()
    try {
      return await work(space)
    } finally {
      await space.close()
    }
  }
  const writeSource = async (): Promise<void> => {
    if (written === undefined) return
    const all = join(folder, 'export.yaml')
    const text = planText(source, target, identity, EXPORTED)
    await writeFile(all, text.replace('{ name: fleet }', '{ name: exported }'))
    const loaded = await loadPlan(all)
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics))
    const space = await openWorkspace(loaded.value, host)
    try {
      const { devices, findings } = await exportMigration(space, host)
      if (findings.length > 0 && written.isPartial !== true) throw new Error(JSON.stringify(findings))
      await writeFile(join(folder, written.path), textOf(devices, written))
    } finally {
      await space.close()
      await rm(all)
    }
  }
  const escrowEntries = async (): Promise<readonly EscrowEntry[]> => {
    if (remote === undefined) return entriesIn(join(folder, 'fleet.escrow'), identity)
    const copies = await mkdtemp(join(scratch, 'escrow-'))
    for (const [name, bytes] of remote.files) await writeFile(join(copies, name), bytes)
    return entriesIn(copies, identity)
  }
  return {
    source,
    target,
    folder,
    identity,
    env,
    events,
    pass: (milliseconds) => {
      offset += milliseconds
    },
    writePlan: async (rest) => {
      const text = planText(source, target, identity, rest, options)
      await writeFile(file, written === undefined ? text : withFile(text, written))
      if (written !== undefined) await writeSource()
      return file
    },
    writeSource,
    plan: () => within((space) => planMigration(space, host, false)),
    apply: (options = {}) =>
      within((space) =>
        applyMigration(space, host, { allow: {}, confirm: async () => true, recipients: [], ...options }),
      ),
    verify: (options = {}) =>
      within((space) => {
        const pause = async (milliseconds: number): Promise<void> => {
          offset += milliseconds
        }
        return verifyMigration(space, { ...host, pause }, { wait: 0, onRound: () => undefined, ...options })
      }),
    rollBack: (options = {}) =>
      within((space) =>
        rollBackMigration(space, host, {
          devices: [],
          confirm: async () => true,
          recipients: [],
          ...options,
        }),
      ),
    audit: () => within((space) => auditMigration(space, host)),
    applyThrough: (wrap) => within((space) => applyThrough(space, host, wrap)),
    planText: () => readFile(file, 'utf8'),
    stateText: () => readFile(join(folder, 'fleet.state.jsonl'), 'utf8'),
    escrowEntries,
    escrowed: async () => new Set((await escrowEntries()).map(({ deviceId }) => deviceId)),
    snapshot: async () => {
      const putBack = simulator.snapshot()
      const putBackRemote = remote?.snapshot()
      const copy = await mkdtemp(join(scratch, 'copy-'))
      await cp(folder, copy, { recursive: true })
      return async () => {
        putBack()
        putBackRemote?.()
        await rm(folder, { recursive: true, force: true })
        await cp(copy, folder, { recursive: true })
      }
    },
    remote,
    loseRunner: async () => {
      const names = ['fleet.state.jsonl', 'fleet.state.lock', 'fleet.escrow']
      for (const name of names) await rm(join(folder, name), { recursive: true, force: true })
      remote?.unlock()
    },
    close: async () => {
      await simulator.close()
      await remote?.close()
      await rm(scratch, { recursive: true, force: true })
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const entriesIn = async (folder: string, { identity }: AgeIdentity): Promise<readonly EscrowEntry[]> => {
  const files = await listEscrow(folder)
  const entries = await Promise.all(files.map(({ file }) => readEscrowFile(join(folder, file), identity)))
  return entries.flat()
}

const planText = (
  source: TestNetwork,
  target: TestNetwork,
  identity: AgeIdentity,
  rest: string,
  { remote, joinElsewhere = false }: MigrationOptions = {},
): string => {
  const end = (network: TestNetwork, variable: string): string =>
    network.network === 'ttn-v2'
      ? v2End(network, variable)
      : `{ network: things-stack, url: "${network.url}"${serversOf(network, joinElsewhere && variable === 'SOURCE_API_KEY')}, application: ${network.application}, apiKey: { env: ${variable} }, insecure: true }`
  const devices = rest.includes('devices:') ? '' : 'devices: { include: [{ all: true }] }\n'
  const coverage = rest.includes('coverage:') ? '' : 'coverage: { gateways: on-target }\n'
  return `apiVersion: ferry/v1
kind: MigrationPlan
metadata: { name: fleet }
source: ${end(source, 'SOURCE_API_KEY')}
target: ${end(target, 'TARGET_API_KEY')}
${devices}${coverage}escrow: { recipients: [${identity.recipient}]${remote === undefined ? '' : `, ${escrowAt(remote)}`} }
${remote === undefined ? '' : `${stateAt(remote)}\n`}${rest}
`
}

/** With sessions. */
const EXPORTED = 'policy: { persistSession: true }'

const withFile = (text: string, { path }: FileSource): string =>
  text.replace(/^source: .*$/m, `source: { network: file, path: ${path} }`)

const textOf = (devices: readonly DeviceRecord[], { format = 'devices-json' }: FileSource): string =>
  format === 'csv'
    ? oneCsv(devices)
    : devices.map((device) => `${JSON.stringify(exportDevice(device, APPLICATION))}\n`).join('')

/** All devices in one file, as somebody would who joins the files of an export by hand: with blanks. */
const oneCsv = (devices: readonly DeviceRecord[]): string => {
  const sheets = csvSheets(devices, true)
  const headings = [...new Set(sheets.flatMap((sheet) => sheet.headings))]
  const rows = sheets.flatMap((sheet) =>
    sheet.rows.map((row) => headings.map((heading) => row[sheet.headings.indexOf(heading)] ?? '')),
  )
  return [headings, ...rows].map(csvLine).join('')
}

const v2End = ({ url, application }: TestNetwork, variable: string): string =>
  `{ network: ttn-v2, url: "${url}", application: ${application}, accessKey: { env: ${variable} }, defaults: { frequencyPlan: EU_863_870_TTN }, payloadFunctions: carry, insecure: true }`

/** Where the Identity Server is on a host of its own, or there is no Join Server. */
const serversOf = ({ identityUrl }: TestNetwork, joinElsewhere: boolean): string => {
  const named = [
    ...(identityUrl === undefined ? [] : [`identity: "${identityUrl}"`]),
    ...(joinElsewhere ? ['join: none'] : []),
  ]
  return named.length === 0 ? '' : `, servers: { ${named.join(', ')} }`
}

const applyThrough = async (workspace: Workspace, host: Host, wrap: Wrap): Promise<ApplyResult> => {
  const planned = await planMigration(workspace, host, true)
  const { loaded } = workspace
  const lock = await workspace.stores.state.lock('ferry apply', host.owner, host.clock)
  const journal = await workspace.stores.state.openJournal()
  // A process that is gone posts nothing any more.
  const isRemote = loaded.plan.state.http !== undefined
  let isKilled = false
  const network = wrap.network ?? ((port: NetworkPort): NetworkPort => port)
  const escrow = openEscrow(workspace, host, loaded.plan.escrow.recipients)
  try {
    return await applyChanges({
      planning: planned,
      loaded,
      source: network(workspace.source, 'source'),
      target: network(workspace.target, 'target'),
      journal: wrap.journal?.(journal) ?? journal,
      progress: planned.state.progress,
      escrow: wrap.escrow?.(escrow) ?? escrow,
      digestKey: workspace.digestKey.key,
      stale: new Set(),
      approved: planned.changeSet.digest,
      run: 'test',
      concurrency: loaded.plan.rollout.maxConcurrency,
      tool: host.tool,
      clock: host.clock,
      emit: host.emit,
      isConfirmed: () => false,
      pause: host.pause,
      draining: host.draining,
    })
  } catch (error) {
    isKilled = true
    throw error
  } finally {
    if (!isKilled || !isRemote) await journal.close()
    await lock.release()
  }
}

/** Actions by device of a change set, for short expectations. */
export const actions = (changeSet: ChangeSet): Record<string, string> =>
  Object.fromEntries(changeSet.devices.map((change) => [change.device, change.action]))

/** Codes of the findings of one device. */
export const codes = (changeSet: ChangeSet, device: string): readonly string[] =>
  changeSet.devices.find((change) => change.device === device)?.findings.map((finding) => finding.code) ?? []
