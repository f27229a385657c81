import type { ChangeSet, DeviceChange } from '../domain/change-set.ts'
import { RISK_RULES, type Undo } from './risk-rules.ts'

export interface Risk {
  /** Always the same for the same risk, present or not. */
  readonly id: string
  readonly name: string
  readonly title: string
  readonly devices: number
  /** Whether it asks for a decision; a count of 0 never does. */
  readonly asks: boolean
  /** Whether text and Markdown tell a count of 0. */
  readonly tellsZero: boolean
  readonly why: string
  readonly undo: Undo
  readonly undoBy: string
}

/** All risks in fixed order, those that concern nobody with a count of 0. */
export const risksOf = (changeSet: ChangeSet): readonly Risk[] =>
  RISK_RULES.map((rule) => {
    const concerned = changeSet.devices.filter(rule.applies)
    return {
      id: rule.id,
      name: rule.name,
      title: rule.title,
      devices: concerned.length,
      asks: concerned.length > 0 && (rule.asks?.(changeSet) ?? true),
      tellsZero: rule.isSpecial !== true,
      why: rule.why(concerned),
      undo: rule.undo,
      undoBy: typeof rule.undoBy === 'string' ? rule.undoBy : rule.undoBy(concerned),
    }
  })

/** Ids of the risks that one device carries. */
export const riskIdsOf = (device: DeviceChange): readonly string[] =>
  RISK_RULES.filter((rule) => rule.applies(device)).map((rule) => rule.id)
