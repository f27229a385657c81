import { describe, expect } from 'vitest'
import type { DeviceSpec } from '../support/fleet.ts'
import { applied, aroundMute, at, expectServed, type Stage, scenario } from '../support/scenario.ts'
import { call } from '../support/stack-api.ts'

const ANEW = 'policy: { persistSession: false }'
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

const OLDER: DeviceSpec = {
  id: 'meter-103',
  number: 1,
  mode: 'otaa',
  fCntUp: 500,
  usedDevNonces: range(1, 14),
  lastJoinNonce: 20,
}
const NEWER: DeviceSpec = {
  id: 'meter-104',
  number: 2,
  mode: 'otaa',
  version: 'MAC_V1_0_4',
  fCntUp: 500,
  lastDevNonce: 300,
  lastJoinNonce: 40,
}
const NEWEST: DeviceSpec = { ...NEWER, id: 'meter-11', number: 3, version: 'MAC_V1_1' }
const ALL = [OLDER, NEWER, NEWEST]

const join = async (
  stage: Stage,
  id: string,
): Promise<{ joined: boolean; devNonce: number; joinNonce?: number }> => {
  const { joined, devNonce, accept } = await stage.device(id).join(stage.air)
  return { joined, devNonce, ...(accept === undefined ? {} : { joinNonce: accept.joinNonce }) }
}

describe('nonces', () => {
  scenario({
    promise: 'that were used are refused by the target, the next is taken, and the device takes the accept',
    golden: 'nonces',
    fleet: ALL,
    // Each repeats its last nonce first.
    virtual: {
      'meter-103': { spec: { usedDevNonces: [13] } },
      'meter-104': { spec: { lastDevNonce: 299 } },
      'meter-11': { spec: { lastDevNonce: 299 } },
    },
    plan: ANEW,
    ends: async (stage) => {
      await applied(stage, { waiting: 3 })
      expect(await stage.held('target', 'js', 'meter-103')).toMatchObject({
        used_dev_nonces: range(5, 14),
        last_join_nonce: 20,
      })
      for (const id of ['meter-104', 'meter-11'])
        expect(await stage.held('target', 'js', id)).toMatchObject({
          last_dev_nonce: 300,
          last_join_nonce: 40,
        })
      expect(await join(stage, 'meter-103')).toEqual({ joined: false, devNonce: 14 })
      expect(await join(stage, 'meter-103')).toEqual({ joined: true, devNonce: 15, joinNonce: 21 })
      for (const id of ['meter-104', 'meter-11']) {
        expect(await join(stage, id)).toEqual({ joined: false, devNonce: 300 })
        expect(await join(stage, id)).toEqual({ joined: true, devNonce: 301, joinNonce: 41 })
      }
      for (const { id } of ALL) await expectServed(stage, id)
      await applied(stage, { migrated: 3 })
    },
  })

  scenario({
    promise: 'may start again where the source let them, and counts of rejoins are carried [edge 44]',
    golden: 'nonces-reset',
    fleet: [{ ...OLDER, resetsJoinNonces: true }, { ...NEWER, resetsJoinNonces: true }, NEWEST],
    virtual: {
      'meter-103': { spec: { usedDevNonces: [4] } },
      'meter-104': { spec: { lastDevNonce: 0 } },
    },
    plan: ANEW,
    before: async (stage) => {
      const { end_device } = (await call(
        stage.source,
        'GET',
        '/js/applications/meters/devices/meter-11',
      ).then((answer) => ({ end_device: answer }))) as { end_device: Record<string, unknown> }
      await call(stage.source, 'PUT', '/js/applications/meters/devices/meter-11', {
        end_device: { ids: end_device['ids'], last_rj_count_0: 7, last_rj_count_1: 3 },
        field_mask: { paths: ['last_rj_count_0', 'last_rj_count_1'] },
      })
    },
    ends: async (stage) => {
      await applied(stage, { waiting: 3 })
      expect(await stage.held('target', 'js', 'meter-11')).toMatchObject({
        last_rj_count_0: 7,
        last_rj_count_1: 3,
      })
      for (const id of ['meter-103', 'meter-104'])
        expect(at(await stage.held('target', 'js', id), 'resets_join_nonces')).toBe(true)
      expect(await join(stage, 'meter-103')).toEqual({ joined: true, devNonce: 5, joinNonce: 21 })
      expect(await join(stage, 'meter-104')).toEqual({ joined: true, devNonce: 1, joinNonce: 41 })
    },
  })

  for (const when of ['before', 'after'] as const)
    scenario({
      promise: `that a device spends on the source while it crosses, ${when} that is muted, are spent on the target too`,
      fleet: ALL,
      plan: ANEW,
      ends: async (stage) => {
        await stage.applyThrough({
          network: aroundMute(when, async (id) => {
            expect(await stage.device(id).join(stage.radio('source'))).toMatchObject({
              joined: when === 'before',
            })
          }),
        })
        for (const { id } of ALL) {
          const [source, target] = [
            await stage.held('source', 'js', id),
            await stage.held('target', 'js', id),
          ]
          const lastOf = (nonces: unknown): unknown => (Array.isArray(nonces) ? nonces.at(-1) : undefined)
          expect(lastOf(target?.['used_dev_nonces'])).toBe(lastOf(source?.['used_dev_nonces']))
          for (const name of ['last_dev_nonce', 'last_join_nonce'])
            expect(target?.[name]).toBe(source?.[name])
          expect(target?.['last_join_nonce']).toBe(id === 'meter-103' ? 21 : 41)
          expect(await join(stage, id)).toMatchObject({ joined: true })
          await expectServed(stage, id)
        }
        await applied(stage, { migrated: 3 })
      },
    })

  scenario({
    promise: 'that were spent by a kept session stay spent when the device joins the target later',
    fleet: ALL,
    virtual: {
      'meter-103': { spec: { usedDevNonces: [13] } },
      'meter-104': { spec: { lastDevNonce: 299 } },
      'meter-11': { spec: { lastDevNonce: 299 } },
    },
    plan: 'policy: { persistSession: true }',
    ends: async (stage) => {
      await applied(stage, { waiting: 3 })
      for (const { id } of ALL) {
        await expectServed(stage, id)
        expect(await join(stage, id)).toMatchObject({ joined: false })
        expect(await join(stage, id)).toMatchObject({ joined: true })
        await expectServed(stage, id)
      }
      await applied(stage, { migrated: 3 })
    },
  })
})
