import { describe, expect } from 'vitest'
import type { DeviceSpec } from '../support/fleet.ts'
import { applied, expectServed, scenario } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 100,
  nFCntDown: 5,
  usedDevNonces: [3],
}

const FAULTS: readonly (readonly [string, object])[] = [
  ['is cut off before its effect', { when: 'before', do: { reset: true } }],
  ['is cut off after its effect', { when: 'after', do: { reset: true } }],
  ['has its effect and is answered with 503', { when: 'after', do: { status: 503 } }],
  ['is answered with half a body', { when: 'after', do: { truncate: true } }],
]

/** Where a write may go wrong: side, registry, method, and which of them. */
const PLACES = [
  ['target', 'is', 'POST', 1],
  ['target', 'js', 'PUT', 1],
  ['target', 'as', 'PUT', 1],
  ['target', 'ns', 'PUT', 1],
  ['source', 'ns', 'PUT', 1],
  ['target', 'ns', 'PUT', 2],
  ['target', 'ns', 'PUT', 3],
] as const

describe('a write whose outcome is not known', () => {
  for (const [side, registry, method, nth] of PLACES)
    scenario({
      promise: `on the ${side} (${registry}, ${method} ${nth}) is looked for, and never done twice [edge 83]`,
      fleet: FAULTS.map((_, index) => ({ ...METER, id: `meter-${index + 1}`, number: index + 1 })),
      plan: 'policy: { persistSession: true }\nrollout: { maxConcurrency: 1, maxFailures: 9 }',
      ends: async (stage) => {
        // Each device meets another fault.
        for (const [index, [, fault]] of FAULTS.entries())
          await call(stage[side], 'POST', '/simulator/v1/faults', {
            faults: [
              {
                registry,
                method,
                ...(method === 'POST' ? {} : { path: `meter-${index + 1}$` }),
                nth: method === 'POST' ? index * 2 + nth : nth,
                times: 1,
                ...fault,
              },
            ],
          })
        await stage.apply()
        await call(stage[side], 'DELETE', '/simulator/v1/faults')
        await stage.promisesHold()
        expect(await stage.stateText()).toContain('"status":"unknown"')
        const { result } = await stage.apply().then((outcome) => ({
          result: 'result' in outcome ? outcome.result.counts : undefined,
        }))
        expect(result).toMatchObject({ failed: 0, waiting: FAULTS.length })
        for (const index of FAULTS.keys()) await expectServed(stage, `meter-${index + 1}`)
        await applied(stage, { migrated: FAULTS.length })
      },
    })
})
