import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allPrinted, createPlace, keysIn, type Place } from './support.ts'

let place: Place
beforeAll(async () => {
  place = await createPlace()
  await place.plan()
})
afterAll(() => place.close())

/** Requests that would change something, on both networks, since they were started. */
const writes = async (): Promise<number> => {
  const counts = await Promise.all(
    place.simulator.networks.map(async ({ url }) => {
      const answer = await fetch(`${url}/simulator/v1/requests`)
      const { requests } = (await answer.json()) as {
        readonly requests: readonly { readonly method: string; readonly path: string }[]
      }
      return requests.filter(({ method, path }) => method !== 'GET' && path.includes('/devices')).length
    }),
  )
  return counts.reduce((sum, count) => sum + count, 0)
}

const keyWith = async (rights: readonly string[]): Promise<string> => {
  const [{ url, apiKey, application }] = place.simulator.networks
  const made = await fetch(`${url}/api/v3/applications/${application}/api-keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({ name: 'test', rights }),
  })
  return ((await made.json()) as { readonly key: string }).key
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

describe('what is refused before any write', () => {
  afterAll(async () => {
    expect(await writes()).toBe(0)
    const out = allPrinted()
    expect(out).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m)
    expect(keysIn(out, [place.env['SOURCE_API_KEY'] ?? '', 'AGE-SECRET-KEY'])).toEqual([])
  })

  const policy = (lines: string): string => `apiVersion: ferry/v1\nkind: OrganisationPolicy\n${lines}\n`

  test('a policy that the organisation forbids, by validate, plan and apply, and not by status', async () => {
    await place.write('house.yaml', policy('forbid: [deleteSource]'))
    const env = { FERRY_POLICY: place.path('house.yaml') }
    for (const command of [['validate'], ['plan'], ['apply', '--yes']]) {
      const ended = await place.ferry([...command, 'plan.yaml'], { env })
      expect(ended.code, command[0]).toBe(3)
      expect(ended.stdout + ended.stderr).toMatch(/plan\.yaml:18:\d+ Forbidden .*the organisation forbids/)
    }
    expect((await place.ferry(['status', 'plan.yaml'], { env })).code).toBe(0)
  })

  test('more devices at once than a limit allows, unless the limit is named', async () => {
    await place.write('house.yaml', policy('limits: { devices: 2 }'))
    const env = { FERRY_POLICY: place.path('house.yaml') }
    const ended = await place.ferry(['apply', '--yes', 'plan.yaml'], { env })
    expect([ended.code, ended.stderr]).toEqual([4, expect.stringContaining('--allow limit-devices=3')])
    const other = await place.ferry(['apply', '--yes', 'plan.yaml', '--allow', 'limit-devices=2'], { env })
    expect(other.code).toBe(4)
  })

  test.each([
    ['is not there', undefined],
    ['is no YAML', 'a: [1'],
    ['is a thousand lists in one another', '['.repeat(1_000)],
    ['says a thing twice', policy('forbid: [deleteSource]\nforbid: []')],
    ['has a word of its own', policy('forbidden: [deleteSource]')],
    ['forbids what nobody knows', policy('forbid: [everything]')],
  ])('an organisation whose policy %s', async (_what, text) => {
    if (text !== undefined) await place.write('house.yaml', text)
    const env = { FERRY_POLICY: place.path(text === undefined ? 'nowhere.yaml' : 'house.yaml') }
    const ended = await place.ferry(['plan', 'plan.yaml'], { env })
    expect([ended.code, ended.stderr]).toEqual([3, expect.stringContaining('OrganisationPolicyInvalid')])
  })

  test('a plan with many mistakes lists them all, with their places', async () => {
    const text = (await place.read('plan.yaml'))
      .replace('persistSession: true', 'persistSessions: true')
      .replace('application: building-a', 'application: Building_A')
      .replace('{ env: TARGET_API_KEY }', 'NNSXS.ABCDEFGHIJKLMNOP.QRSTUVWXYZ234567QRSTUVWXYZ234567')
    await place.write('wrong.yaml', text)
    const ended = await place.ferry(['validate', 'wrong.yaml'])
    expect(ended.code).toBe(3)
    expect(ended.stdout).toMatch(/^wrong\.yaml:\d+:\d+ \w+ .+\n {2}hint: /)
    for (const code of ['UnknownField', 'LiteralSecret', 'InvalidId']) expect(ended.stdout).toContain(code)
    expect(ended.stdout).not.toContain('NNSXS')
    const plan = await place.ferry(['plan', 'wrong.yaml'])
    expect([plan.code, plan.stdout]).toEqual([3, ''])
    expect(plan.stderr).toContain('error: PlanInvalid wrong.yaml has')
  })

  test('a plan that is not there', async () => {
    const ended = await place.ferry(['plan', 'nowhere.yaml'])
    expect(ended.code).toBe(3)
    expect(ended.stderr).toContain('PlanUnreadable')
  })

  test('environment variables that are not set, both at once', async () => {
    const { code, stderr } = await place.ferry(['plan', 'plan.yaml'], {
      env: { SOURCE_API_KEY: '', TARGET_API_KEY: '' },
    })
    expect(code).toBe(9)
    expect(stderr).toContain('SOURCE_API_KEY')
    expect(stderr).toContain('TARGET_API_KEY')
  })

  test('a key that the network refuses', async () => {
    const { code, stderr } = await place.ferry(['plan', 'plan.yaml'], {
      env: {
        SOURCE_API_KEY:
          'NNSXS.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB',
      },
    })
    expect([code, stderr]).toEqual([9, expect.stringContaining('CredentialRefused')])
    expect(stderr).not.toContain('NNSXS.AAAA')
  })

  test('a key without a right that is needed, which is named [edge 26]', async () => {
    const key = await keyWith(['RIGHT_APPLICATION_INFO', 'RIGHT_APPLICATION_DEVICES_READ'])
    const { code, stderr } = await place.ferry(['apply', 'plan.yaml', '--yes'], {
      env: { SOURCE_API_KEY: key },
    })
    expect(code).toBe(9)
    expect(stderr).toContain('RIGHT_APPLICATION_DEVICES_READ_KEYS')
    expect(stderr).toContain('RIGHT_APPLICATION_DEVICES_WRITE')
  })

  test('an application that does not exist [edge 14]', async () => {
    await place.plan({ file: 'unknown.yaml', sourceApplication: 'building-x' })
    const { code, stderr } = await place.ferry(['plan', 'unknown.yaml'])
    expect([code, stderr]).toEqual([3, expect.stringContaining('building-x')])
  })

  test('a host that can not be reached', async () => {
    await place.plan({ file: 'far.yaml', targetUrl: `http://127.0.0.1:${await freePort()}` })
    const { code, stderr } = await place.ferry(['plan', 'far.yaml'])
    expect([code, stderr]).toEqual([3, expect.stringContaining('HostUnreachable')])
    expect(stderr).toContain('hint: check the host in the plan')
  })

  test('a source that equals the target [edge 91]', async () => {
    await place.plan({ file: 'same.yaml', targetUrl: place.simulator.networks[0].url })
    const { code, stderr } = await place.ferry(['apply', 'same.yaml', '--yes'])
    expect([code, stderr]).toEqual([3, expect.stringMatching(/same\.yaml:\d+:\d+ /)])
  })

  test('an apply that nobody confirmed', async () => {
    const { code, stderr } = await place.ferry(['apply', 'plan.yaml'])
    expect([code, stderr]).toEqual([64, expect.stringContaining('--yes')])
  })

  test('an apply of a file that does not exist', async () => {
    const { code, stderr } = await place.ferry(['apply', 'nope.changes'])
    expect([code, stderr]).toEqual([3, expect.stringContaining('nope.changes does not exist')])
  })

  test('an apply without escrow recipients', async () => {
    await place.plan({ file: 'keyless.yaml', name: 'keyless', recipients: false })
    const { code, stderr } = await place.ferry(['apply', 'keyless.yaml', '--yes'], {
      env: { FERRY_AGE_IDENTITY: '' },
    })
    expect([code, stderr]).toEqual([3, expect.stringContaining('EscrowRecipientsMissing')])
  })

  test('another digest than expected', async () => {
    const { code, stderr } = await place.ferry(['apply', 'plan.yaml', '--yes', '--expect', '0123456789ab'])
    expect([code, stderr]).toEqual([5, expect.stringContaining('DigestMismatch')])
  })

  test('a change set that was edited, or cut short', async () => {
    await place.ferry(['plan', 'plan.yaml', '-o', 'plan.changes'])
    const text = await place.read('plan.changes')
    await place.write('edited.changes', text.replace('"action":"create"', '"action":"adopt"'))
    await place.write('short.changes', text.slice(0, -200))
    const edited = await place.ferry(['apply', 'edited.changes', '--yes'])
    expect([edited.code, edited.stderr]).toEqual([5, expect.stringContaining('ChangeSetEdited')])
    const short = await place.ferry(['apply', 'short.changes', '--yes'])
    expect([short.code, short.stderr]).toEqual([5, expect.stringContaining('ChangeSetDamaged')])
  })

  test('a change set whose plan was changed since', async () => {
    await place.plan({ file: 'moved.yaml', name: 'moved' })
    await place.ferry(['plan', 'moved.yaml', '-o', 'moved.changes'])
    await place.plan({ file: 'moved.yaml', name: 'moved', policy: 'persistSession: true' })
    const { code, stderr } = await place.ferry(['apply', 'moved.changes', '--yes'])
    expect([code, stderr]).toEqual([5, expect.stringContaining('the plan was changed')])
  })

  test('a state that another run holds [edge 86]', async () => {
    const lock = {
      id: '5f3c0a52-8b1e-4f0e-9a7e-2d1c6b9f4e10',
      pid: 4711,
      host: 'another-host',
      user: 'somebody',
      startedAt: '2026-01-05T08:00:00.000Z',
      command: 'ferry apply',
      bootId: '',
    }
    await place.write('building-a.state.lock', JSON.stringify(lock))
    const held = await place.ferry(['apply', 'plan.yaml', '--yes'])
    expect([held.code, held.stderr]).toEqual([6, expect.stringContaining('somebody on another-host')])
    expect((await place.ferry(['state', 'unlock', 'plan.yaml', 'no-such-id'])).code).toBe(6)
    const freed = await place.ferry(['state', 'unlock', 'plan.yaml', lock.id])
    expect([freed.code, freed.stdout]).toEqual([0, expect.stringContaining('removed')])
  })

  test('a state file that is damaged', async () => {
    await place.plan({ file: 'damaged.yaml', name: 'damaged' })
    await place.write('damaged.state.jsonl', 'not a state\n')
    for (const command of ['plan', 'status']) {
      const { code, stderr } = await place.ferry([command, 'damaged.yaml'])
      expect([code, stderr]).toEqual([5, expect.stringContaining('StateDamaged')])
    }
  })

  test('nothing but blocked devices', async () => {
    await place.plan({
      file: 'blocked.yaml',
      name: 'blocked',
      include: '{ ids: [meter-muted, sensor-half] }',
    })
    const planned = await place.ferry(['plan', 'blocked.yaml'])
    expect([planned.code, planned.stdout]).toEqual([4, expect.stringContaining('BLOCKED')])
    expect((await place.ferry(['apply', 'blocked.yaml', '--yes'])).code).toBe(4)
  })

  test('blocked devices beside others do not change the code of plan', async () => {
    await place.plan({ file: 'some.yaml', name: 'some', include: '{ ids: [meter-muted, meter-104] }' })
    expect((await place.ferry(['plan', 'some.yaml'])).code).toBe(0)
  })
})
