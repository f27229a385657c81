import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RETIRE_STEPS, type Route, type StepName } from '../../../src/domain/journal.ts'
import { keepsKeys } from '../../../src/engine/device/route.ts'
import { crossingSteps, retireDue, type StepChoice, stepsLeft } from '../../../src/engine/progress/steps.ts'
import { AT, begin, done, HANDED_OVER, knowing } from './support.ts'

const choice = fc.record({
  stopsBy: fc.constant('muting' as const),
  route: fc.constantFrom<Route>('session-kept', 'joining-anew', 'abp-kept', 'abp-reset'),
  hasJoinServer: fc.boolean(),
  policy: fc.record({
    deleteSource: fc.constantFrom('never' as const, 'after-import' as const, 'after-heard' as const),
    preventRejoin: fc.constantFrom('replace-root-keys' as const, 'none' as const),
    queuedDownlinks: fc.constantFrom('report' as const, 'copy' as const, 'wait-empty' as const),
  }),
})

const before = (steps: readonly StepName[], first: StepName, second: StepName): void => {
  if (!steps.includes(first) || !steps.includes(second)) return
  expect(steps.indexOf(first), `${first} before ${second}`).toBeLessThan(steps.indexOf(second))
}

/** Pairs of the design's table that hold for every way. */
const ORDER: readonly (readonly [StepName, StepName])[] = [
  ['escrow', 'create-identity'],
  ['create-identity', 'set-join'],
  ['set-application', 'set-network'],
  ['set-network', 'compare'],
  ['compare', 'stop-source'],
  ['stop-source', 'read-again'],
  ['read-again', 'final-network'],
  ['read-again', 'delete-application'],
  ['final-network', 'final-start-time'],
  ['final-network', 'unmute-target'],
  ['final-join', 'unmute-target'],
  ['final-application', 'unmute-target'],
  ['unmute-target', 'hear'],
  ['hear', 'prevent-rejoin'],
  ['delete-application', 'delete-network'],
  ['delete-network', 'delete-join'],
  ['delete-join', 'delete-identity'],
]

describe('the steps of a crossing', () => {
  it('come in the order of the design, each once', () => {
    fc.assert(
      fc.property(choice, (chosen) => {
        const steps = crossingSteps(chosen)
        expect(new Set(steps).size).toBe(steps.length)
        for (const [first, second] of ORDER) before(steps, first, second)
        for (const always of [
          'escrow',
          'compare',
          'stop-source',
          'read-again',
          'unmute-target',
          'hear',
        ] as const)
          expect(steps).toContain(always)
      }),
    )
  })

  it('delete the source when and only when the policy says so', () => {
    fc.assert(
      fc.property(choice, (chosen) => {
        const steps = crossingSteps(chosen)
        const deletes = steps.filter((step) => (RETIRE_STEPS as readonly StepName[]).includes(step))
        const { deleteSource } = chosen.policy
        expect(deletes.length).toBe(deleteSource === 'never' ? 0 : chosen.hasJoinServer ? 4 : 3)
        const speaks = steps.indexOf('unmute-target')
        for (const step of deletes) expect(steps.indexOf(step) < speaks).toBe(deleteSource === 'after-import')
      }),
    )
  })

  it('write no session, counter or start where a device joins anew', () => {
    const steps = crossingSteps({ ...base, route: 'joining-anew' })
    expect(steps.filter((step) => step.startsWith('final-'))).toEqual(['final-join'])
  })

  it('after the target spoke hold no write on it, whatever is left', () => {
    fc.assert(
      fc.property(choice, fc.boolean(), fc.boolean(), (chosen, heard, due) => {
        const steps = crossingSteps(chosen)
        const progress = knowing(
          begin(chosen.route),
          ...done(...HANDED_OVER, ...steps.slice(0, steps.indexOf('hear'))),
        )
        const { now, later } = stepsLeft(steps, progress, { heard, retire: due })
        expect([...now, ...later].filter((step) => /^(create|set|final|update)-/.test(step))).toEqual([])
        if (!heard) expect(now).toEqual([])
        expect([...now, ...later].sort()).toEqual(steps.slice(steps.indexOf('hear')).sort())
      }),
    )
  })
})

const base: StepChoice = {
  route: 'session-kept',
  stopsBy: 'muting',
  hasJoinServer: true,
  policy: { deleteSource: 'never', preventRejoin: 'none', queuedDownlinks: 'report' },
}

describe('the steps from a source that can not be muted', () => {
  const cleared = choice.map((chosen) => ({ ...chosen, stopsBy: 'clearing' as const }))

  it('end what the source can do right before the target speaks, when all is written', () => {
    fc.assert(
      fc.property(cleared, (chosen) => {
        const steps = crossingSteps(chosen)
        const speaks = steps.indexOf('unmute-target')
        const end = keepsKeys(chosen.route)
          ? 'clear-source'
          : chosen.policy.deleteSource === 'after-import'
            ? 'delete-identity'
            : 'prevent-rejoin'
        const ends = steps.indexOf(end)
        expect(steps.slice(ends, speaks).every((step) => step === end || step === 'delete-identity')).toBe(
          true,
        )
        expect(
          steps.slice(0, ends).filter((step) => /^(create|set|final)-/.test(step)).length,
        ).toBeGreaterThan(2)
        expect(steps.slice(ends).filter((step) => /^(create|set|final)-/.test(step))).toEqual([])
        expect(steps).not.toContain('stop-source')
      }),
    )
  })

  it('delete it in one piece', () => {
    fc.assert(
      fc.property(cleared, (chosen) => {
        const deletes = crossingSteps(chosen).filter((step) => step.startsWith('delete-'))
        expect(deletes).toEqual(chosen.policy.deleteSource === 'never' ? [] : ['delete-identity'])
      }),
    )
  })
})

describe('the time to retire a source', () => {
  const heard = knowing(begin(), ...done(...HANDED_OVER), {
    t: 'fact',
    device: 'meter-1',
    fact: { name: 'heard', at: AT, devAddr: '27000F01', lastFCntUp: 101 },
  })
  it.each([
    ['after-heard', 999, false],
    ['after-heard', 1000, true],
    ['never', 99_999, false],
    ['after-import', 99_999, false],
  ] as const)('%s, %i ms after it was heard: %s', (deleteSource, passed, due) => {
    expect(retireDue(heard, { deleteSource }, 1000, new Date(Date.parse(AT) + passed))).toBe(due)
  })
  it('does not come for a device that was not heard', () => {
    const silent = knowing(begin(), ...done(...HANDED_OVER))
    expect(retireDue(silent, { deleteSource: 'after-heard' }, 0, new Date())).toBe(false)
  })
})
