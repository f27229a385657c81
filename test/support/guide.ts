import { expect } from 'vitest'
import { loadPlan } from '../../src/index.ts'
import { type Scenario, type Stage, scenario } from './scenario.ts'

/** A plan that is refused before a network is asked. */
interface RefusedPlan {
  /** YAML after the harness's head. */
  readonly plan: string
  readonly code: string
}

/** A scenario that shows what becomes of cells of the table of the vendor's guides (`CELLS` of src/plan/rules.ts). */
export interface Guide extends Scenario {
  readonly cells: readonly string[]
  /** Devices that the preview blocks, each by its code; all others cross. */
  readonly blocks?: Readonly<Record<string, string>>
  readonly refuses?: readonly RefusedPlan[]
}

let collected: Guide[] | undefined

/** Registers the scenario as a test of its own, or only tells of it while guides are collected. */
export const guide = (given: Guide): void => {
  if (collected !== undefined) {
    collected.push(given)
    return
  }
  const { refuses = [], blocks = {}, before, ends, plan } = given
  scenario({
    ...given,
    before: async (stage) => {
      for (const refused of refuses) await expectRefused(stage, refused)
      await stage.writePlan(plan)
      await before?.(stage)
    },
    ends: async (stage, planned) => {
      const found = planned.devices
        .filter(({ action }) => action === 'blocked')
        .map(({ device, findings }) => [device, findings.find(isError)?.code])
      expect(Object.fromEntries(found), 'blocked').toEqual(blocks)
      await ends(stage, planned)
    },
  })
}

const isError = ({ severity }: { readonly severity: string }): boolean => severity === 'error'

const expectRefused = async (stage: Stage, { plan, code }: RefusedPlan): Promise<void> => {
  const loaded = await loadPlan(await stage.writePlan(plan))
  expect(loaded.ok, `a plan that ${code} refuses`).toBe(false)
  expect(loaded.diagnostics.filter(isError).map((finding) => finding.code)).toEqual([code])
}

/** The guides of test files, which register no tests meanwhile. */
export const guidesIn = async (load: () => Promise<unknown>): Promise<readonly Guide[]> => {
  collected = []
  try {
    await load()
    return collected
  } finally {
    collected = undefined
  }
}
