import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { METER, VALVE } from '../support/meters.ts'
import { actions, codes, startMigration } from '../support/migration.ts'
import {
  applied,
  at,
  expectNoJoin,
  expectServed,
  expectSilent,
  remove,
  type Stage,
  scenario,
} from '../support/scenario.ts'

const NEW = { id: 'meter-new', number: 8, mode: 'otaa' } as const
const KEEP = 'policy: { persistSession: true }'
const FILE = { path: 'devices.json' } as const

/** Its confirmed uplink is answered, with a downlink counter that it accepts: above the margin for what the file misses. */
const expectAnswered = async (stage: Stage, id: string): Promise<void> => {
  const uplink = await stage.device(id).uplink(stage.air, { confirmed: true })
  expect(uplink, id).toMatchObject({ accepted: true, downlinks: [{ ack: true }], missed: [] })
}

/** What a person does before the handover is confirmed. */
const stopped = async (stage: Stage, ...ids: readonly string[]): Promise<void> => {
  for (const id of ids) await remove(stage, 'source', id)
}

describe('from a file, keeping the session', () => {
  scenario({
    promise: 'the target is complete and silent until somebody confirms that the source is stopped',
    golden: 'file-kept',
    fleet: [METER, VALVE],
    fromFile: FILE,
    plan: KEEP,
    ends: async (stage) => {
      await applied(stage, { deferred: 2 })
      for (const id of [METER.id, VALVE.id]) {
        await expectSilent(stage, id, 'target')
        await expectServed(stage, id, 'source')
      }
      // Nothing more to do, and nothing written, until a word comes.
      const state = await stage.stateText()
      const idle = await stage.apply()
      expect([idle.status, await stage.stateText()]).toEqual(['nothing-to-do', state])
      await stage.writeSource()
      await stopped(stage, METER.id, VALVE.id)
      await applied(stage, { waiting: 1, deferred: 1 }, { confirmed: [METER.id] })
      await expectAnswered(stage, METER.id)
      await expectSilent(stage, VALVE.id, 'target')
      await applied(stage, { migrated: 1, waiting: 1 }, { confirmed: 'all' })
      await expectAnswered(stage, VALVE.id)
      await applied(stage, { migrated: 2 })
      expect((await stage.apply()).status).toBe('nothing-to-do')
    },
  })

  scenario({
    promise: 'what was counted since is carried where the file is written anew before the word [edge 36]',
    fleet: [METER],
    fromFile: FILE,
    plan: KEEP,
    ends: async (stage) => {
      await applied(stage, { deferred: 1 })
      for (let frame = 0; frame < 3; frame += 1)
        await stage.device(METER.id).uplink(stage.radio('source'), { confirmed: true })
      await stage.writeSource()
      await stopped(stage, METER.id)
      await applied(stage, { waiting: 1 }, { confirmed: 'all' })
      const counted = at(await stage.held('target', 'ns', METER.id), 'session', 'last_f_cnt_up')
      expect(counted).toBe(Number(METER.fCntUp) + 3)
      // The margin for downlinks that the file does not know of.
      const sent = at(await stage.held('target', 'ns', METER.id), 'session', 'last_n_f_cnt_down')
      expect(sent).toBe(Number(METER.nFCntDown) + 3 + 1_000)
      expect(await stage.device(METER.id).uplink(stage.radio('target'), { confirmed: true })).toMatchObject({
        accepted: true,
        downlinks: [{ ack: true }],
        missed: [],
      })
    },
  })

  scenario({
    promise: 'one that joined anew where it is served, as the file says when the word comes, begins again',
    fleet: [METER],
    fromFile: FILE,
    plan: KEEP,
    ends: async (stage) => {
      await applied(stage, { deferred: 1 })
      await stage.device(METER.id).join(stage.radio('source'))
      await stage.device(METER.id).uplink(stage.radio('source'))
      await stage.writeSource()
      await stopped(stage, METER.id)
      await applied(stage, { waiting: 1 }, { confirmed: 'all' })
      expect(await stage.device(METER.id).uplink(stage.radio('target'), { confirmed: true })).toMatchObject({
        accepted: true,
        downlinks: [{ ack: true }],
      })
    },
  })

  scenario({
    promise: 'a rollback takes it off the target, and tells that it has to be started where it was',
    fleet: [METER],
    fromFile: FILE,
    plan: KEEP,
    ends: async (stage) => {
      await applied(stage, { waiting: 1 }, { confirmed: 'all' })
      await stopped(stage, METER.id)
      const outcome = await stage.rollBack()
      if (outcome.status !== 'done') throw new Error(outcome.status)
      expect(outcome.devices).toMatchObject([{ status: 'undone', losses: ['started-by-hand'] }])
      expect(await stage.held('target', 'ns', METER.id)).toBeUndefined()
    },
  })
})

describe('from a file, joining anew', () => {
  scenario({
    promise: 'a device that never joined joins on the target once it is confirmed, and not before',
    golden: 'file-joining-anew',
    fleet: [NEW],
    fromFile: { path: 'new.csv', format: 'csv' },
    plan: 'policy: { persistSession: false }',
    ends: async (stage) => {
      await applied(stage, { deferred: 1 })
      await expectNoJoin(stage, NEW.id, 'target')
      await stopped(stage, NEW.id)
      await applied(stage, { waiting: 1 }, { confirmed: 'all' })
      expect(await stage.device(NEW.id).join(stage.air)).toMatchObject({ joined: true })
      await expectServed(stage, NEW.id)
      await applied(stage, { migrated: 1 })
    },
  })
})

describe('files that are not as they should be', () => {
  const withText = async (
    path: string,
    text: string,
    source: string,
    work: (migration: Awaited<ReturnType<typeof startMigration>>) => Promise<void>,
    policy = 'policy: { persistSession: false }',
  ): Promise<void> => {
    const migration = await startMigration()
    try {
      const file = await migration.writePlan(policy)
      const plan = (await migration.planText()).replace(/^source: .*$/m, `source: ${source}`)
      await writeFile(file, plan)
      await writeFile(join(migration.folder, path), text)
      await work(migration)
    } finally {
      await migration.close()
    }
  }
  const KEY = 'AB'.repeat(16)
  const COLUMNS = '{ devEui: DevEUI, joinEui: AppEUI, appKey: AppKey }'
  const DEFAULTS =
    '{ frequencyPlan: EU_863_870_TTN, lorawanVersion: 1.0.3, lorawanPhyVersion: PHY_V1_0_3_REV_A }'
  const SHEET = `{ network: file, path: list.csv, columns: ${COLUMNS}, defaults: ${DEFAULTS} }`

  it('rows that can be read in one way only are repaired, and told; others block their device [edge 97, 30]', async () => {
    const rows = [
      'DevEUI;AppEUI;AppKey',
      `70b3d5-7ed0000001;0;${KEY}`,
      `43000000000001;70B3D57ED0000000;${KEY}`,
      `7.0123E+15;70B3D57ED0000000;${KEY}`,
      '70B3D57ED0000003;70B3D57ED0000000;1.2E+31',
    ]
    const text = `\uFEFF${rows.slice(0, 3).join('\r\n')}\r\n\r\n${rows[4]}`
    await withText('list.csv', text, SHEET, async ({ plan }) => {
      const { changeSet } = await plan()
      expect(actions(changeSet)).toEqual({
        'eui-70b3d57ed0000001': 'create',
        'eui-0043000000000001': 'create',
        'eui-70b3d57ed0000003': 'blocked',
      })
      expect(codes(changeSet, 'eui-0043000000000001')).toContain('CsvValueRepaired')
      const blocked = changeSet.devices.find(({ device }) => device === 'eui-70b3d57ed0000003')
      expect(blocked?.findings[0]).toMatchObject({ code: 'CsvValueWrong' })
      expect(blocked?.findings[0]?.message).toMatch(/^row 5, column "AppKey"/)
    })
    await withText('list.csv', rows.join('\n'), SHEET, async ({ plan }) => {
      await expect(plan()).rejects.toMatchObject({
        code: 'FileDeviceNameless',
        diagnostics: [{ message: expect.stringContaining('list.csv:4') as string }],
      })
    })
  })

  it('a session without its counters is not kept [edge 39]', async () => {
    const columns = '{ devEui: E, devAddr: A, nwkSKey: N, appSKey: S }'
    const text = `E,A,N,S\n70B3D57ED0000009,260B0001,${KEY},${KEY}\n`
    const source = `{ network: file, path: list.csv, columns: ${columns}, defaults: ${DEFAULTS} }`
    const check = async (migration: Awaited<ReturnType<typeof startMigration>>): Promise<void> => {
      const { changeSet } = await migration.plan()
      expect(codes(changeSet, 'eui-70b3d57ed0000009')).toContain('CountersNotInFile')
    }
    await withText('list.csv', text, source, check, KEEP)
  })

  it('two devices with one id are both named, and neither moves', async () => {
    const device = (devEui: string): string =>
      JSON.stringify({
        ids: { device_id: 'twin', dev_eui: devEui, join_eui: '70B3D57ED0000000' },
        lorawan_version: 'MAC_V1_0_3',
        lorawan_phy_version: 'PHY_V1_0_3_REV_A',
        frequency_plan_id: 'EU_863_870_TTN',
        supports_join: true,
        root_keys: { app_key: { key: KEY } },
      })
    const text = `${device('70B3D57ED0000001')}\n${device('70B3D57ED0000002')}\n`
    await withText('devices.json', text, '{ network: file, path: devices.json }', async ({ plan }) => {
      const { changeSet } = await plan()
      expect(actions(changeSet)).toEqual({ twin: 'blocked' })
      expect(changeSet.devices[0]?.findings).toMatchObject([
        { code: 'DuplicateDevice', message: expect.stringMatching(/line 1 .*line 2/) as string },
      ])
    })
  })

  it.each([
    ['is cut off', '{"ids":{"device_id":"a"}}\n{"ids":{"device', 'FileBroken'],
    ['is no JSON', '{"ids":{"device_id":a}}', 'FileBroken'],
    ['is a spreadsheet that nobody described', 'Serial;Key\n1;2\n', 'FileFormatUnknown'],
    ['is UTF-16', Buffer.from('\uFEFFid;dev_eui\n', 'utf16le').toString('latin1'), 'FileNotText'],
  ])('a file that %s is refused as a whole', async (_what, text, code) => {
    const source = '{ network: file, path: devices.json }'
    await withText('devices.json', text, source, async (migration) => {
      if (code === 'FileNotText')
        await writeFile(join(migration.folder, 'devices.json'), Buffer.from(text, 'latin1'))
      await expect(migration.plan()).rejects.toMatchObject({ code, kind: 'plan-invalid' })
    })
  })

  it('keys of zeros are those of a device that was handed over before [edge 20]', async () => {
    const zeros = { key: '0'.repeat(32) }
    const text = JSON.stringify({
      ids: { device_id: 'moved', dev_eui: '70B3D57ED0000001', join_eui: '70B3D57ED0000000' },
      lorawan_version: 'MAC_V1_0_3',
      lorawan_phy_version: 'PHY_V1_0_3_REV_A',
      frequency_plan_id: 'EU_863_870_TTN',
      supports_join: true,
      root_keys: { app_key: zeros },
    })
    await withText('devices.json', text, '{ network: file, path: devices.json }', async ({ plan }) => {
      expect(codes((await plan()).changeSet, 'moved')).toContain('KeyOfZeros')
    })
  })
})
