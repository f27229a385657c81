import { mkdir, rm, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { escrowAt, type StateServer, startStateServer, stateAt } from '../support/state-server.ts'
import { createPlace, type Ended, keysIn, type Place } from './support.ts'

describe('a plan whose state and escrow lie at an address', () => {
  let place: Place
  let server: StateServer
  let all = ''
  const env = (): Readonly<Record<string, string>> => ({ STATE_PASSWORD: server.password, CI: 'true' })
  const ferry = async (words: string, more: Readonly<Record<string, string>> = {}): Promise<Ended> => {
    const ended = await place.ferry(words.split(' '), { env: { ...env(), ...more } })
    all += ended.stdout + ended.stderr
    return ended
  }

  beforeAll(async () => {
    place = await createPlace()
    server = await startStateServer()
    await place.plan({ include: '{ ids: [meter-102, meter-103] }', rest: `${stateAt(server)}\n` })
    const text = (await place.read('plan.yaml')).replace(
      /^escrow: \{ (.*) \}$/m,
      `escrow: { $1, ${escrowAt(server)} }`,
    )
    // The same plan on two machines.
    for (const machine of ['one', 'two']) {
      await mkdir(place.path(machine))
      await writeFile(place.path(`${machine}/plan.yaml`), text)
    }
  })
  afterAll(async () => {
    await server.close()
    await place.close()
  })

  it('asks for the password, and tells a wrong one', async () => {
    const missing = await ferry('status one/plan.yaml', { STATE_PASSWORD: '' })
    expect([missing.code, missing.stderr]).toEqual([9, expect.stringContaining('STATE_PASSWORD')])
    const wrong = await ferry('plan one/plan.yaml', { STATE_PASSWORD: 'another-made-up' })
    expect([wrong.code, wrong.stderr]).toEqual([9, expect.stringContaining('PlaceRefused')])
  })

  it('ends with 74 where a post fails, and goes on where it stands', async () => {
    let posts = 0
    server.fault = (request) => {
      if (request !== 'POST /state') return undefined
      posts += 1
      return posts > 3 ? 400 : undefined
    }
    const ended = await ferry('apply one/plan.yaml --yes')
    expect([ended.code, ended.stderr]).toEqual([74, expect.stringContaining('StateNotPosted')])
    server.fault = () => undefined
    expect(server.lock()).toBeUndefined()
    // On another machine, which has nothing of it.
    const again = await ferry('apply two/plan.yaml --yes')
    expect(again.code, again.stderr).toBe(7)
    const status = await ferry('status one/plan.yaml')
    expect([status.code, status.stdout]).toEqual([0, expect.stringContaining('2 devices: 2 waiting')])
    const shown = await ferry('state show two/plan.yaml')
    expect(shown.stdout).toContain(`${server.url}/state  serial`)
  })

  it('is locked by a run that is gone, until somebody gives the lock back', async () => {
    const id = '01234567-89ab-cdef-0123-456789abcdef'
    const held = {
      ID: id,
      Operation: 'ferry apply',
      Info: '',
      Who: 'someone@runner-9',
      Version: '',
      Created: 'then',
      Path: '',
    }
    const locking = await fetch(`${server.url}/state`, {
      method: 'LOCK',
      headers: {
        authorization: `Basic ${Buffer.from(`${server.user}:${server.password}`).toString('base64')}`,
      },
      body: JSON.stringify(held),
    })
    expect(locking.status).toBe(200)
    const refused = await ferry('apply one/plan.yaml --yes')
    expect([refused.code, refused.stderr]).toEqual([6, expect.stringContaining('someone@runner-9')])
    expect(refused.stderr).toContain(id)
    expect((await ferry(`state unlock one/plan.yaml ${id}`)).code).toBe(0)
    expect((await ferry('apply one/plan.yaml --yes')).code).toBe(7)
  })

  it('gives devices back from the escrow there, though this machine has no folder of it', async () => {
    await rm(place.path('one/building-a.escrow'), { recursive: true, force: true })
    const ended = await ferry('escrow restore one/plan.yaml --device meter-102 --out one/restored.json')
    expect(ended.code, ended.stderr).toBe(0)
    expect(await place.read('one/restored.json')).toContain('"device_id":"meter-102"')
  })

  it('tells no key and no password', () => {
    const basic = Buffer.from(`${server.user}:${server.password}`).toString('base64')
    expect(keysIn(all, [server.password, 'another-made-up', basic])).toEqual([])
    expect(keysIn(server.state() ?? '', [server.password, basic])).toEqual([])
    expect(keysIn([...server.files.values()].join('\n'))).toEqual([])
  })
})
