import type { ChangeSet, DeviceChange } from '../domain/change-set.ts'
import { isCrossing, isDeleting, isHeldByEscrow, waysOf } from './crossing.ts'
import {
  blockedFindings,
  excludedFindings,
  type FindingGroup,
  goneFindings,
  type LeftBehind,
  leftBehind,
  toldFindings,
  wholeErrors,
} from './findings.ts'
import { type ChangeGroup, groupChanges } from './groups.ts'
import { type Hand, handsOf } from './hands.ts'
import { type Irreversible, irreversibleOf } from './irreversible.ts'
import { type Risk, risksOf } from './risks.ts'
import { type ActionCounts, countActions, type Judgement, judge } from './verdict.ts'

/** What every rendering of a preview is made from. */
export interface Preview {
  readonly changeSet: ChangeSet
  readonly judgement: Judgement
  readonly counts: ActionCounts
  /** Devices that change network. */
  readonly crossing: number
  /** The same by how they cross. */
  readonly ways: ReturnType<typeof waysOf>
  /** Devices that are on no network now. */
  readonly held: readonly DeviceChange[]
  /** Devices deleted on the source, now or later. */
  readonly deleting: number
  readonly risks: readonly Risk[]
  readonly irreversible: readonly Irreversible[]
  readonly hands: readonly Hand[]
  readonly errors: readonly FindingGroup[]
  readonly blocked: readonly FindingGroup[]
  readonly excluded: readonly FindingGroup[]
  readonly gone: readonly FindingGroup[]
  readonly told: readonly FindingGroup[]
  readonly leftBehind: readonly LeftBehind[]
  readonly groups: readonly ChangeGroup[]
}

/** Pure: the same change set gives the same preview. */
export const previewOf = (changeSet: ChangeSet): Preview => ({
  changeSet,
  judgement: judge(changeSet),
  counts: countActions(changeSet),
  crossing: changeSet.devices.filter(isCrossing).length,
  ways: waysOf(changeSet.devices),
  held: changeSet.devices.filter(isHeldByEscrow),
  deleting: changeSet.devices.filter(isDeleting).length,
  risks: risksOf(changeSet),
  irreversible: irreversibleOf(changeSet),
  hands: handsOf(changeSet),
  errors: wholeErrors(changeSet),
  blocked: blockedFindings(changeSet),
  excluded: excludedFindings(changeSet),
  gone: goneFindings(changeSet),
  told: toldFindings(changeSet),
  leftBehind: leftBehind(changeSet),
  groups: groupChanges(changeSet),
})
