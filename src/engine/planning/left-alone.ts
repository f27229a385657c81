import type { DeviceChange } from '../../domain/change-set.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import { NetworkError } from '../../domain/errors.ts'
import type { SelectableDevice, Selection } from '../../domain/migration-plan.ts'
import type { HeldElsewhere } from '../../domain/ports.ts'
import { euiKey, euisOf } from '../device/euis.ts'
import type { DeviceProgress } from '../progress/progress.ts'
import { isLetGo, isOnlyStopped, isUnderWay } from '../progress/standing.ts'

/** Who on the target holds an EUI pair; no `application` where it is the plan's own. */
interface EuiHolder {
  readonly deviceId: string
  readonly application?: string
}

/** By `euiKey`. */
export type EuiHolders = ReadonlyMap<string, EuiHolder>

/** Who of an application, or of others, holds which EUI pair, and no more of each: a fleet may be large. */
export const euiHolders = (devices: readonly (SelectableDevice | HeldElsewhere)[]): EuiHolders => {
  const holders = new Map<string, EuiHolder>()
  for (const device of devices) {
    const key = euiKey(device)
    if (key === undefined) continue
    const { deviceId } = device
    holders.set(key, 'application' in device ? { deviceId, application: device.application } : { deviceId })
  }
  return holders
}

/** In another application a DevEUI alone clashes with none: a pair without JoinEUI is free. */
export const strangers = (elsewhere: readonly HeldElsewhere[]): EuiHolders =>
  euiHolders(elsewhere.filter((device) => device.joinEui !== undefined))

/** A change that would be, and is not, for a reason that only the whole fleet shows. */
const blockedFor = (change: DeviceChange, code: string, message: string, hint: string): DeviceChange => ({
  ...change,
  action: 'blocked',
  fields: [],
  steps: [],
  later: [],
  findings: [
    ...change.findings,
    { code, severity: 'error', message, hint, subject: { device: change.device } },
  ],
})

/** Blocks a device whose EUIs another id of the target has; undefined where none has. The first holders that know them count. */
export const taken = (change: DeviceChange, holders: readonly EuiHolders[]): DeviceChange | undefined => {
  const key = targetEuiKey(change)
  const holder = key === undefined ? undefined : holders.find((some) => some.has(key))?.get(key)
  if (holder === undefined || change.action === 'blocked') return undefined
  const { application, deviceId } = holder
  if (application === undefined && deviceId === change.target) return undefined
  const own = `name it ${deviceId} in an override (set.deviceId), or delete that one on the target`
  const name = application === undefined ? deviceId : `${application}/${deviceId}`
  const hint =
    application === undefined ? own : `delete it in the application ${application}, if it is not in use`
  return blockedFor(change, 'EuisTaken', `the target's device ${name} has its EUIs`, hint)
}

const bare = (
  device: SelectableDevice,
  target: string,
): Pick<DeviceChange, 'device' | 'target' | 'devEui' | 'joinEui' | 'fields' | 'steps' | 'later'> => ({
  device: device.deviceId,
  target,
  ...euisOf(device),
  fields: [],
  steps: [],
  later: [],
})

/** Told of a device that can not go on: until an apply has started its source again, no network answers it. */
export const sourceStopped = (device: string): Diagnostic => ({
  code: 'SourceStopped',
  severity: 'error',
  message: 'an earlier run stopped its source, and no network answers it',
  hint: 'ferry apply: it starts the source again, whatever else is blocked',
  subject: { device },
})

/** A device that the plan leaves out; one that is half-way can not be left out, or no network would serve it. */
export const excluded = (
  device: SelectableDevice,
  selection: Selection,
  progress: DeviceProgress | undefined,
): DeviceChange => {
  const subject = { device: device.deviceId }
  // What is deleted first is silent, or gone, before anything of it is on the target.
  if (isUnderWay(progress) && !isLetGo(progress)) {
    const message = 'it is half-way to the target: left out now, no network may serve it'
    const hint = 'include it until it has crossed'
    return {
      ...bare(device, progress.target),
      action: 'blocked',
      ...(isOnlyStopped(progress) ? { steps: ['start-source'] } : {}),
      findings: [
        { code: 'ExcludedWhileCrossing', severity: 'error', message, hint, subject },
        ...(isOnlyStopped(progress) ? [sourceStopped(device.deviceId)] : []),
      ],
    }
  }
  const message = selection.excludedBy ?? 'not selected by devices.include'
  return {
    ...bare(device, device.deviceId),
    action: 'excluded',
    findings: [{ code: 'Excluded', severity: 'note', message, subject }],
  }
}

/** The rule for its id asks for what it does not have. One that is on its way has its id already. */
export const nameless = (device: SelectableDevice, lacks: string): DeviceChange =>
  blockedBy(device, device.deviceId, {
    code: 'DeviceIdNotMade',
    message: `set.deviceId asks for {${lacks}}, which it does not have`,
    hint: 'name it in an override that selects it by ids, or exclude it',
  })

/** One device that can't be read is left alone; refused credentials and an interrupt end the reading. */
export const unreadable = (device: SelectableDevice, target: string, error: unknown): DeviceChange => {
  if (!(error instanceof NetworkError) || error.refusesCredentials || error.code === 'Interrupted')
    throw error
  return blockedBy(device, target, error)
}

const blockedBy = (
  device: SelectableDevice,
  target: string,
  error: { readonly code: string; readonly message: string; readonly hint?: string | undefined },
): DeviceChange => ({
  ...bare(device, target),
  action: 'blocked',
  findings: [
    {
      code: error.code,
      severity: 'error',
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      subject: { device: device.deviceId },
    },
  ],
})

/** Two devices that would have one id, one pair of EUIs or one session on the target are both left alone. */
export const withoutTwins = (changes: readonly DeviceChange[]): readonly DeviceChange[] => {
  const active = changes.filter((change) => change.action !== 'excluded' && change.action !== 'gone')
  const byId = twinsOf(active, ({ target }) => target)
  const byEuis = twinsOf(active, targetEuiKey)
  const bySession = twinsOf(active, ({ expect }) => expect?.session ?? undefined)
  if (byId.size + byEuis.size + bySession.size === 0) return changes
  return changes.map((change) => {
    if (change.action !== 'create') return change
    const { device, target } = change
    if (byId.has(device))
      return blockedFor(
        change,
        'DuplicateTargetId',
        `two devices would be ${target} on the target`,
        'give one of them another id (overrides, set.deviceId)',
      )
    if (byEuis.has(device))
      return blockedFor(
        change,
        'DuplicateEuis',
        `two devices have the DevEUI ${change.becomes?.devEui ?? change.devEui} and the same JoinEUI`,
        'leave out the one that is wrong, or correct it where it comes from',
      )
    if (bySession.has(device))
      return blockedFor(
        change,
        'DuplicateSession',
        'another device has its DevAddr and its session keys: the target could not tell their frames apart',
        'give one of them its own (policy.abp: reprogram in an override for it), or leave it out',
      )
    return change
  })
}

const targetEuiKey = (change: DeviceChange): string | undefined => {
  const { devEui, joinEui } = { ...change, ...change.becomes }
  return euiKey({ devEui, joinEui })
}

/** Devices that share what only one can have. A fleet may be large, and twins are few: only they are kept. */
const twinsOf = (
  changes: readonly DeviceChange[],
  keyOf: (change: DeviceChange) => string | undefined,
): ReadonlySet<string> => {
  const firsts = new Map<string, string>()
  const twins = new Set<string>()
  for (const change of changes) {
    const key = keyOf(change)
    if (key === undefined) continue
    const first = firsts.get(key)
    if (first === undefined) firsts.set(key, change.device)
    else twins.add(first).add(change.device)
  }
  return twins
}
