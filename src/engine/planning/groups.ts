import type { DeviceChange } from '../../domain/change-set.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import type { DeviceProgress } from '../progress/progress.ts'
import { isLetGo } from '../progress/standing.ts'

/**
 * No network tells who listens to a multicast group. What can listen are the class B and C devices of its frequency plan,
 * so these are taken for its members: a group that moved before them would fall silent for them.
 */
const isMember = (group: DeviceChange, { profile, action }: DeviceChange): boolean =>
  action !== 'excluded' &&
  action !== 'gone' &&
  profile !== undefined &&
  profile.activation !== 'multicast' &&
  profile.class !== 'A' &&
  profile.frequencyPlan === group.profile?.frequencyPlan

export const isGroup = ({ route }: DeviceChange): boolean => route === 'multicast'

/** Members that have not crossed yet and are about to: the group waits for them. Blocked ones would hold it for ever. */
export const awaitedMembers = (
  group: DeviceChange,
  changes: readonly DeviceChange[],
  progress: ReadonlyMap<string, DeviceProgress>,
): readonly DeviceChange[] =>
  changes.filter(
    (change) =>
      isMember(group, change) &&
      (change.action === 'create' || change.action === 'resume') &&
      !isLetGo(progress.get(change.device)),
  )

/** Tells of each group that is to move which devices it waits for, and which it leaves behind. */
export const withMembers = (changes: readonly DeviceChange[]): readonly DeviceChange[] => {
  const groups = changes.filter((change) => isGroup(change) && change.action === 'create')
  if (groups.length === 0) return changes
  return changes.map((change) => {
    if (!groups.includes(change)) return change
    const members = changes.filter((other) => isMember(change, other))
    const moving = members.filter(({ action }) => action === 'create' || action === 'resume').length
    const left = members.filter(({ action }) => action === 'blocked').map(({ device }) => device)
    const findings = [
      ...(moving > 0 ? [membersFirst(change.device, moving)] : []),
      ...(left.length > 0 ? [leavesMembers(change.device, left)] : []),
    ]
    return findings.length === 0 ? change : { ...change, findings: [...change.findings, ...findings] }
  })
}

const membersFirst = (device: string, moving: number): Diagnostic => ({
  code: 'MembersFirst',
  severity: 'note',
  message: `the group moves once the devices that may listen to it have crossed: ${moving} of class B or C on its frequency plan`,
  subject: { device },
})

const leavesMembers = (device: string, left: readonly string[]): Diagnostic => ({
  code: 'GroupLeavesMembers',
  severity: 'warning',
  message: `devices of class B or C on its frequency plan stay on the source (${left.slice(0, 3).join(', ')}${left.length > 3 ? ` and ${left.length - 3} more` : ''}): what the target sends to the group reaches them only through its gateways`,
  hint: 'exclude the group until they can cross, if they listen to it',
  subject: { device },
})
