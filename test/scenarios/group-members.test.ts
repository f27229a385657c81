import { describe, expect } from 'vitest'
import type { DeviceSpec } from '../support/fleet.ts'
import { codes } from '../support/migration.ts'
import { scenario } from '../support/scenario.ts'

/** The first by its id, which is how networks list, is the last by its DevEUI. */
const lamp = (id: string, number: number): DeviceSpec => ({
  id,
  number,
  mode: 'otaa',
  classC: true,
  fCntUp: 100,
  nFCntDown: 3,
})

describe('the members that a group leaves behind', () => {
  scenario({
    promise:
      'are told by DevEUI and not as they were read, so that an approved preview is the same every time',
    golden: 'group-members',
    fleet: [
      lamp('lamp-1', 3),
      lamp('lamp-2', 2),
      lamp('lamp-3', 1),
      { id: 'lamps', number: 9, mode: 'multicast', classC: true, nFCntDown: 25 },
    ],
    plan: 'policy: { persistSession: true }\ncoverage: { gateways: unknown }\nrollout: { maxConcurrency: 1 }',
    ends: async (_stage, planned) => {
      expect(codes(planned, 'lamps')).toEqual(['GroupLeavesMembers'])
    },
  })
})
