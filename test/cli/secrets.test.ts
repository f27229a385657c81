import { afterAll, beforeAll, expect, test } from 'vitest'
import { leaks } from '../support/key-leaks.ts'
import { wholeCourse } from './secrets-course.ts'
import { localFailures, networkFailures } from './secrets-failures.ts'
import { ferry } from './support.ts'
import type { Watched } from './watched.ts'

/** The most permissive there is: a mode that is right is right because ferry asked for it. */
const before = process.umask(0)
afterAll(() => process.umask(before))

let course: Watched
let remote: Watched
let local: Watched
beforeAll(async () => {
  const all = await Promise.all([wholeCourse(), networkFailures(), localFailures()])
  course = all[0]
  remote = all[1]
  local = all[2]
}, 120_000)
afterAll(() => Promise.all([course, remote, local].map((place) => place?.close())))

/** Files that only their owner may use, by what the command's documentation calls them. */
const PRIVATE =
  /\.state\.jsonl|\.changes$|\.lock(?:\.|$)|\.escrow\/.+\.age$|\.log$|\.tmp$|identity\.txt$|^(?:exported|restored|new)\./

const wrongModes = async (place: Watched): Promise<readonly string[]> =>
  Object.entries(await place.modes()).flatMap(([name, mode]) => {
    const wanted = name.endsWith('.escrow') ? 0o700 : PRIVATE.test(name) ? 0o600 : undefined
    return wanted === undefined || mode === wanted ? [] : [`${name} ${mode.toString(8)}`]
  })

test('every command that --help names ran', async () => {
  const listed = async (...of: readonly string[]): Promise<readonly string[]> => {
    const { stdout } = await ferry([...of, '--help'])
    const names = [...(stdout.split('Commands:\n')[1] ?? '').matchAll(/^ {2}([a-z]+)\b/gm)]
    return names.map(([, name = '']) => [...of, name].join(' ')).filter((name) => !name.endsWith('help'))
  }
  const [top, escrow, state] = await Promise.all([listed(), listed('escrow'), listed('state')])
  const all = [...top.filter((name) => name !== 'escrow' && name !== 'state'), ...escrow, ...state]
  expect(all.length).toBeGreaterThan(18)
  expect(all.filter((name) => !course.commands.has(name))).toEqual([])
})

test('no secret is in anything that a whole course printed, wrote or was called with [edge 100]', async () => {
  const { printed, files, processes } = await course.searched()
  expect([printed > 30, files > 15, processes > 30]).toEqual([true, true, true])
  expect(course.secrets.devices.size).toBeGreaterThan(20)
  expect(await course.leaking()).toEqual([])
})

test('no secret is in anything that commands printed, wrote or were called with whose network fails', async () => {
  const { printed, files, processes } = await remote.searched()
  expect([printed > 10, files > 10, processes > 10]).toEqual([true, true, true])
  expect(await remote.leaking()).toEqual([])
})

test('nor of those that are killed, or given wrong keys, files and plans, or break inside', async () => {
  const { printed, files, processes } = await local.searched()
  expect([printed > 20, files > 20, processes > 20]).toEqual([true, true, true])
  expect(await local.leaking()).toEqual([])
})

test('files that ferry writes are for their owner alone, whatever the umask', async () => {
  const places = [course, remote, local]
  const names = (await Promise.all(places.map((place) => place.modes()))).flatMap(Object.keys).join('\n')
  for (const kind of ['.state.jsonl', '.changes', '.state.lock', '.age', '.escrow', '.log'])
    expect(names).toContain(kind)
  expect((await Promise.all(places.map(wrongModes))).flat()).toEqual([])
})

/** Else all the above would hold for a search that finds nothing. */
test('a planted secret is found in each encoding', async () => {
  const key = '0FF1CE5EC2E7FBEF99A1B2C3D4E5F607'
  const bytes = Buffer.from(key, 'hex')
  const apiKey = 'NNSXS.PLANTED.K3Y7'
  const shifted = (text: Buffer): readonly Buffer[] =>
    ['', 'a', 'ab'].map((head) => Buffer.from(Buffer.concat([Buffer.from(head), text]).toString('base64')))
  const planted: readonly (string | Buffer)[] = [
    key,
    key.toLowerCase(),
    key.replace(/(..)(?=.)/g, '$1 '),
    bytes,
    [...bytes].join(',\n  '),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    ...shifted(bytes),
    ...shifted(Buffer.from(key)),
    ...shifted(Buffer.from(key.toLowerCase())),
    apiKey,
    Buffer.from(apiKey).toString('hex'),
    ...shifted(Buffer.from(apiKey)),
  ]
  const artefacts = planted.map((form, index) => {
    const around = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(form), Buffer.from('"}\n')])
    return [String(index), around] as const
  })
  expect(leaks([key], Object.fromEntries(artefacts), [apiKey])).toEqual(artefacts.map(([name]) => name))
  expect(leaks([key], { other: 'F'.repeat(400), empty: '' }, [apiKey])).toEqual([])
})

test('a secret that is planted in a file of the folder is found there', async () => {
  const [key = ''] = course.secrets.devices
  const [age = ''] = course.secrets.age
  await course.write('home/planted', `x${key.toLowerCase()}y ${Buffer.from(age).toString('base64')}`)
  const found = await course.leaking()
  await course.write('home/planted', '')
  expect(found.map((name) => name.replace(/ \(\d+\)$/, ''))).toEqual([
    'devices: home/planted',
    'age: home/planted',
  ])
})
