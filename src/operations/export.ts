import type { DeviceRecord } from '../domain/device.ts'
import type { Diagnostic } from '../domain/diagnostic.ts'
import { NetworkError } from '../domain/errors.ts'
import type { SelectableDevice } from '../domain/migration-plan.ts'
import { listAll } from '../engine/planning/listing.ts'
import { desiredOf, planDevice } from '../engine/planning/plan-device.ts'
import { refuseErrors } from '../engine/planning/preflight.ts'
import { isSourceEnding, rootKeysReplaced } from '../engine/progress/standing.ts'
import { stopsBy } from '../engine/progress/steps.ts'
import { walk } from '../engine/run/walk.ts'
import { intentFor, unknownDevices } from '../plan/select-devices.ts'
import { joinHostsOf } from './ends.ts'
import type { Host } from './host.ts'
import { readKnownState, type Workspace } from './workspace.ts'

export interface Exported {
  /** As the plan would have them on its target, in the order of the source, keys as secrets. */
  readonly devices: readonly DeviceRecord[]
  /** Devices that were left out, and why. */
  readonly findings: readonly Diagnostic[]
}

/** Nobody is asked what the importing network does by default. */
const NO_DEFAULTS = { serverAddresses: {}, macSettings: {} }
const NO_FACTS = { devAddrPrefixes: [], frequencyPlans: [], phyVersions: {}, serverAddresses: {} }

/** The devices of a plan's source as somebody else may import them. Reads the source alone, and changes nothing. */
export const exportMigration = async (workspace: Workspace, host: Host): Promise<Exported> => {
  const { loaded, source } = workspace
  const { plan } = loaded
  const { progress: state } = await readKnownState(workspace.stores)
  refuseErrors(await source.preflight('read-source'))
  const listed = await listAll(source, 'source', host.emit)
  const devices = new Map<string, DeviceRecord>()
  const left = new Map<string, readonly Diagnostic[]>()
  const read = async (device: SelectableDevice): Promise<void> => {
    const { selected, intent: asPlanned } = intentFor(plan, device)
    if (!selected) return
    // Whether the source is muted is between it and its devices: no file tells it.
    const intent = { ...asPlanned, policy: { ...asPlanned.policy, mutedSource: 'unmute' as const } }
    const progress = state.get(device.deviceId)
    if (rootKeysReplaced(progress) || isSourceEnding(progress)) {
      left.set(device.deviceId, [keysReplaced(device.deviceId)])
      return
    }
    const record = await readDevice(workspace, device)
    if (!('registries' in record)) {
      left.set(device.deviceId, record)
      return
    }
    const asked = {
      source: record,
      target: { ids: record.ids, registries: {} },
      intent,
      defaults: NO_DEFAULTS,
      progress: undefined,
    }
    const { findings } = planDevice({
      ...asked,
      coverage: 'on-target',
      retireAfter: 0,
      joinHosts: joinHostsOf(plan.source),
      stopsBy: stopsBy(source),
      sameDeployment: false,
      targetFacts: NO_FACTS,
      queue: [],
      digestKey: '',
      now: host.clock(),
    })
    const errors = findings.filter(({ severity }) => severity === 'error')
    const wanted = errors.length > 0 ? undefined : desiredOf(asked)
    if (wanted === undefined) left.set(device.deviceId, errors)
    else devices.set(device.deviceId, wanted.desired.record)
  }
  await walk(listed, plan.rollout.maxConcurrency, read)
  const ids = listed.map(({ deviceId }) => deviceId)
  const known = new Set(ids)
  return {
    devices: ids.flatMap((id) => devices.get(id) ?? []),
    findings: [...ids.flatMap((id) => left.get(id) ?? []), ...unknownDevices(loaded, (id) => known.has(id))],
  }
}

/** One that can not be read is left out alone; refused credentials and an interrupt end the reading. */
const readDevice = async (
  { source }: Workspace,
  { deviceId }: SelectableDevice,
): Promise<DeviceRecord | readonly Diagnostic[]> => {
  try {
    return await source.read(deviceId)
  } catch (error) {
    if (!(error instanceof NetworkError) || error.refusesCredentials || error.code === 'Interrupted')
      throw error
    const { code, message, hint } = error
    return [
      {
        code,
        severity: 'error',
        message,
        ...(hint === undefined ? {} : { hint }),
        subject: { device: deviceId },
      },
    ]
  }
}

const keysReplaced = (device: string): Diagnostic => ({
  code: 'RootKeysReplaced',
  severity: 'warning',
  message: "it crossed, and the source does not hold the device's own keys any more",
  hint: 'its own keys are on the target, and in the escrow: ferry escrow restore --out FILE',
  subject: { device },
})
