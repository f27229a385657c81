import { expect } from 'vitest'
import type { NetworkPort, Registry, RegistryWrite } from '../../src/index.ts'
import type { DeviceSpec } from './fleet.ts'
import { at, type Side, type Stage } from './scenario.ts'
import { call } from './stack-api.ts'

export const METER: DeviceSpec = {
  id: 'meter-1',
  number: 1,
  mode: 'otaa',
  fCntUp: 100,
  nFCntDown: 5,
  lastJoinNonce: 2,
}
export const MUTE = 'mac_settings.schedule_downlinks'

/** How a run ends that is killed. */
export class Killed extends Error {}

/** Kills the run before the first call that `when` chooses. */
export const killedBefore = async (
  stage: Stage,
  side: Side,
  when: { write?: (write: RegistryWrite) => boolean; remove?: (registry: Registry, id: string) => boolean },
): Promise<void> => {
  let dead = false
  const wrap = (network: NetworkPort, which: Side): NetworkPort => ({
    ...network,
    write: async (write) => {
      if (dead || (which === side && when.write?.(write) === true)) {
        dead = true
        throw new Killed('killed')
      }
      await network.write(write)
    },
    remove: async (registry, ids) => {
      if (dead || (which === side && when.remove?.(registry, ids.deviceId) === true)) {
        dead = true
        throw new Killed('killed')
      }
      return network.remove(registry, ids)
    },
  })
  await expect(stage.applyThrough({ network: wrap })).rejects.toThrow('killed')
}

/** Kills the run right after the source was muted, before anything else is on the disk. */
export const killedOnceMuted = async (stage: Stage): Promise<void> => {
  let dead = false
  await expect(
    stage.applyThrough({
      journal: (journal) => ({
        ...journal,
        append: async (records) => {
          if (dead) throw new Killed('killed')
          await journal.append(records)
        },
      }),
      network: (network, side) => ({
        ...network,
        write: async (write) => {
          if (dead) throw new Killed('killed')
          await network.write(write)
          if (side !== 'source') return
          dead = true
          throw new Killed('killed')
        },
      }),
    }),
  ).rejects.toThrow('killed')
  expect(await muted(stage, 'source', 'meter-1').catch(() => false)).not.toBe(true)
}

export const unmuteByHand = (stage: Stage, side: Side, id: string): Promise<unknown> =>
  call(stage[side], 'PUT', `/ns/applications/${stage[side].application}/devices/${id}`, {
    end_device: { ids: { device_id: id } },
    field_mask: { paths: [MUTE] },
  })

export const muted = async (stage: Stage, side: Side, id: string): Promise<unknown> =>
  at(await stage.held(side, 'ns', id), 'mac_settings', 'schedule_downlinks')

export const DELETE_FIRST = 'policy: { persistSession: true, handover: delete-first }'
