import { afterEach, describe, expect, it } from 'vitest'
import type { JournalRecord, NetworkPort } from '../../src/index.ts'
import { speaks } from '../support/acts.ts'
import { differences, endOf, sessionStarts } from '../support/ends.ts'
import { openScene, type Scene } from '../support/interruptions.ts'
import { METER, METER_11, VALVE } from '../support/meters.ts'
import { promisesBroken } from '../support/promises.ts'
import { storeOf } from '../support/stack-api.ts'
import type { StateServer } from '../support/state-server.ts'

const FLEET = [METER, METER_11, VALVE]
const PLAN = 'policy: { persistSession: true, deleteSource: after-heard }\nverify: { retireAfter: 0s }'

let scene: Scene
afterEach(() => scene.migration.close())

const begin = async (plan = PLAN): Promise<{ readonly scene: Scene; readonly remote: StateServer }> => {
  scene = await openScene({
    fleet: FLEET,
    plan: `${plan}\nrollout: { maxConcurrency: 8 }`,
    lostRunner: 'gitlab',
  })
  const { remote } = scene.migration
  if (remote === undefined) throw new Error('no server')
  return { scene, remote }
}

const hear = async (): Promise<void> => {
  for (const { id } of FLEET) await speaks(id)(scene, 0)
}

const promisesHold = async (): Promise<void> => {
  for (const spec of FLEET) expect(await promisesBroken(scene.migration, spec), spec.id).toEqual([])
}

/** Writes that the next run does again, whatever it knows of them. */
const DONE_AGAIN = /^final-/

describe('a state at an address', () => {
  it('knows of each write before a network does', async () => {
    const { remote } = await begin()
    const unknown: string[] = []
    let looked = 0
    const look = (device: string, what: string): void => {
      const posted = JSON.parse(remote.state() ?? '{"records":[]}') as { records: readonly JournalRecord[] }
      const own = posted.records.filter((record) => 'device' in record && record.device === device)
      const open = own.findLast((record) => record.t === 'intent')
      const isClosed = own.some(
        (record) =>
          record.t === 'outcome' &&
          open?.t === 'intent' &&
          record.step === open.step &&
          own.indexOf(record) > own.indexOf(open),
      )
      looked += 1
      // After an unmute that was posted nothing is final any more; before it, the source is silent, which is known.
      const isFinal = open?.t === 'intent' && (open.step === 'stop-source' || DONE_AGAIN.test(open.step))
      if (open === undefined || (isClosed && !isFinal)) unknown.push(`${what} of ${device}`)
    }
    const network = (port: NetworkPort): NetworkPort => ({
      ...port,
      write: async (write) => {
        look(write.ids.deviceId, `write on ${write.registry}`)
        await port.write(write)
      },
      remove: async (registry, ids) => {
        look(ids.deviceId, `remove from ${registry}`)
        return port.remove(registry, ids)
      },
    })
    await scene.migration.applyThrough({ network })
    await hear()
    await scene.migration.applyThrough({ network })
    expect(unknown).toEqual([])
    expect(looked).toBeGreaterThan(30)
    expect(Object.keys((await storeOf(scene.migration.source)).identityServer)).toEqual([])
  })

  it('stops new work where a post fails, at each of them; the next run reaches the same end', async () => {
    await begin()
    const undisturbed = await undisturbedEnd()
    await scene.migration.close()
    for (let nth = 1; ; nth += 1) {
      const { remote } = await begin()
      const starts = await sessionStarts(scene.migration)
      let posts = 0
      remote.fault = (request) => {
        if (request !== 'POST /state') return undefined
        posts += 1
        return posts >= nth ? 400 : undefined
      }
      const error = await scene.migration.apply().then(
        () => undefined,
        (caught: unknown) => caught,
      )
      if (error === undefined) {
        expect(nth).toBeGreaterThan(4)
        return
      }
      expect(error, `post ${nth}`).toMatchObject({ code: 'StateNotPosted', kind: 'state-not-written' })
      await promisesHold()
      remote.fault = () => undefined
      // Half of them go on where the runner was lost, too.
      if (nth % 2 === 0) await scene.migration.loseRunner()
      await scene.migration.apply()
      await promisesHold()
      expect(
        differences(await endOf(scene.migration, FLEET, starts, {}), undisturbed),
        `post ${nth}`,
      ).toEqual([])
      await scene.migration.close()
    }
  })

  it('and an escrow there give a device back on another machine', async () => {
    await begin('policy: { persistSession: true }')
    await scene.migration.apply()
    await hear()
    await scene.migration.apply()
    await scene.migration.loseRunner()
    const outcome = await scene.migration.rollBack()
    expect(outcome).toMatchObject({ status: 'done' })
    expect(Object.keys((await storeOf(scene.migration.target)).identityServer)).toEqual([])
    await hear()
  })
})

const undisturbedEnd = async (): Promise<unknown> => {
  const starts = await sessionStarts(scene.migration)
  await scene.migration.apply()
  return endOf(scene.migration, FLEET, starts, {})
}

describe('an escrow at an address', () => {
  it.each([
    ['is refused', 'before', 500, 'PUT'],
    ['can not be read back', 'before', 404, 'GET'],
  ] as const)('that %s leaves the source as it is', async (_what, when, status, method) => {
    const { remote } = await begin()
    const before = await storeOf(scene.migration.source)
    remote.fault = (request, at) =>
      at === when && request.startsWith(`${method} /files/`) ? status : undefined
    await expect(scene.migration.apply()).rejects.toMatchObject({
      code: 'EscrowNotWritten',
      kind: 'state-not-written',
    })
    expect(await storeOf(scene.migration.source)).toEqual(before)
    expect(Object.keys((await storeOf(scene.migration.target)).identityServer)).toEqual([])
  })

  it('that gives back something else leaves the source as it is', async () => {
    const { remote } = await begin()
    const before = await storeOf(scene.migration.source)
    remote.fault = (request, at) => {
      if (at === 'before' && request.startsWith('GET /files/'))
        for (const name of remote.files.keys())
          (remote.files as Map<string, Buffer>).set(name, Buffer.from('other'))
      return undefined
    }
    await expect(scene.migration.apply()).rejects.toMatchObject({ code: 'EscrowNotWritten' })
    expect(await storeOf(scene.migration.source)).toEqual(before)
  })

  it('holds each file that the state names', async () => {
    const { remote } = await begin()
    await scene.migration.apply()
    const named = [...(await scene.migration.stateText()).matchAll(/"file":"([^"]+)"/g)].map(
      ([, name]) => name,
    )
    expect(named.length).toBeGreaterThan(0)
    expect([...remote.files.keys()]).toEqual(expect.arrayContaining([...new Set(named)]))
  })
})
