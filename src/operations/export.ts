import type { Diagnostic } from '../domain/diagnostic.ts'
import type { Json } from '../domain/json.ts'
import { exportDevice } from '../engine/device/export.ts'
import { profileOf } from '../engine/device/route.ts'
import { desiredOf } from '../engine/planning/plan-device.ts'
import { isSourceEnding, rootKeysReplaced } from '../engine/progress/progress.ts'
import type { Host } from './host.ts'
import { planMigration } from './plan.ts'
import type { Workspace } from './workspace.ts'

export interface Exported {
  /** One object a device, keys in the clear: write them only where the user asked for it. */
  readonly devices: readonly Json[]
  /** Devices that were left out, and why. */
  readonly findings: readonly Diagnostic[]
}

/** The devices of a plan as the Console and `ttn-lw-cli end-devices create` import them. Changes nothing. */
export const exportMigration = async (workspace: Workspace, host: Host): Promise<Exported> => {
  const planned = await planMigration(workspace, host, false)
  const devices: Json[] = []
  const findings: Diagnostic[] = []
  for (const change of planned.changeSet.devices) {
    const intent = planned.intents.get(change.device)
    if (change.action === 'excluded' || change.action === 'gone' || intent === undefined) continue
    const progress = planned.state.progress.get(change.device)
    if (rootKeysReplaced(progress) || isSourceEnding(progress)) {
      findings.push(keysReplaced(change.device))
      continue
    }
    const errors = change.findings.filter((finding) => finding.severity === 'error')
    const [source, target] = await Promise.all([
      workspace.source.read(change.device),
      workspace.target.read(change.target),
    ])
    const profile = profileOf(source)
    const defaults =
      errors.length > 0
        ? undefined
        : await planned.defaultsFor(
            intent.set.frequencyPlan ?? profile.frequencyPlan,
            intent.set.lorawanPhyVersion ?? profile.lorawanPhyVersion,
          )
    const wanted =
      defaults === undefined ? undefined : desiredOf({ source, target, intent, defaults, progress })
    if (wanted === undefined) findings.push(...errors)
    else devices.push(exportDevice(wanted.desired.record, workspace.target.identity.application))
  }
  return { devices, findings }
}

const keysReplaced = (device: string): Diagnostic => ({
  code: 'RootKeysReplaced',
  severity: 'warning',
  message: "it crossed, and the source does not hold the device's own keys any more",
  hint: 'its own keys are on the target, and in the escrow: ferry escrow restore --out FILE',
  subject: { device },
})
