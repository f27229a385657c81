import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { call } from '../support/stack-api.ts'
import { type Refusal, startEcho } from './echo.ts'
import type { Ended } from './support.ts'
import { createWatched, identityIn, type Watched } from './watched.ts'

/** Throws where no command expects it, with all the secrets that it is given. */
const HOOK = `
import os from 'node:os'
import { syncBuiltinESMExports } from 'node:module'
const secret = process.env.PLANTED
os.hostname = () => {
  const bytes = Buffer.from(secret.slice(-32), 'hex')
  const cause = Object.assign(new Error('sent ' + secret), { bytes, numbers: [...bytes], view: Uint8Array.from(bytes) })
  throw Object.assign(new TypeError('broke on ' + secret, { cause }), { headers: { authorization: 'Bearer ' + secret } })
}
syncBuiltinESMExports()
`

const RESTORE = 'escrow restore killed.yaml --device valve-resets --out never.json --debug'
const GENERATED = 'persistSession: true, rootKeys: generate, deleteSource: after-heard'

/** Commands that fail because of a network; that they failed is asked here, how is for other tests. */
export const networkFailures = async (): Promise<Watched> => {
  const place = await createWatched()
  const echo = await startEcho(place.simulator.networks[1].url)
  try {
    await refusals(place, echo)
    await faults(place)
    for (const key of echo.keys) place.secrets.devices.add(key)
    return place
  } finally {
    await echo.close()
  }
}

/** Commands that are killed, or fail because of a wrong key, a file, a plan, or ferry itself. */
export const localFailures = async (): Promise<Watched> => {
  const place = await createWatched({ latencyMs: 5 })
  await wrongKey(place)
  await killed(place)
  await identities(place)
  await unexpected(place)
  await literalKeys(place)
  await damaged(place)
  return place
}

const failed = ({ code, stdout, stderr }: Ended, what: string): void => {
  if (code === 0) throw new Error(`${what} did not fail: ${stdout}${stderr}`)
}

type Echo = Awaited<ReturnType<typeof startEcho>>

const planOf = (place: Watched, name: string, device: string, targetUrl?: string): Promise<string> =>
  place.plan({
    file: `${name}.yaml`,
    name,
    include: `{ ids: [${device}] }`,
    policy: GENERATED,
    ...(targetUrl === undefined ? {} : { targetUrl }),
  })

const refusals = async (place: Watched, echo: Echo): Promise<void> => {
  const echoed: readonly (readonly [device: string, refusal: Refusal])[] = [
    ['meter-102', { method: 'PUT', path: /\/js\//, status: 500 }],
    ['meter-103', { method: 'PUT', path: /\/ns\//, status: 409 }],
    ['meter-104', { method: 'POST', path: /\/devices/, status: 400 }],
    ['sensor-110', { method: 'PUT', path: /\/ns\//, status: 401 }],
  ]
  for (const [device, refusal] of echoed) {
    const plan = await planOf(place, `refused-${refusal.status}`, device, echo.url)
    echo.refuse(refusal)
    failed(await place.ferry(['apply', plan, '--yes', '--json-lines', '--debug=echo.log']), plan)
    echo.refuse(undefined)
    if (echo.refused() === 0) throw new Error(`nothing was echoed to ${plan}`)
    await place.ferry(['status', plan])
  }
}

const faults = async (place: Watched): Promise<void> => {
  const [source, target] = place.simulator.networks
  const each: readonly (readonly [device: string, side: typeof source, fault: object])[] = [
    ['valve-abp', target, { nth: 3, times: 1000, do: { status: 401 } }],
    ['valve-16-bit', target, { nth: 3, times: 1000, do: { html: 502 } }],
    ['tracker-19', target, { method: 'PUT', times: 1000, when: 'after', do: { truncate: true } }],
    ['lamp-class-c', target, { method: 'PUT', times: 1000, when: 'after', do: { reset: true } }],
    ['meter-umlaut', source, { nth: 2, times: 1000, do: { truncate: true } }],
  ]
  for (const [device, network, fault] of each) {
    const plan = await planOf(place, `meets-${device}`, device)
    await call(network, 'POST', '/simulator/v1/faults', { faults: [fault] })
    failed(await place.ferry(['apply', plan, '--yes', '--json', '--debug=fault.log']), plan)
    await call(network, 'DELETE', '/simulator/v1/faults')
  }
}

const wrongKey = async (place: Watched): Promise<void> => {
  const wrong = 'NNSXS.WRONGKEYWRONGKEYWRONGKEY.NOBODYKNOWSTHISKEYNOBODYKNOWSTHISKEYNOBODY7'
  place.secrets.api.add(wrong)
  await place.plan({ file: 'wrong.yaml', name: 'wrong' })
  const env = { SOURCE_API_KEY: wrong }
  for (const words of ['plan wrong.yaml --debug', 'audit wrong.yaml', 'export wrong.yaml -o never.json'])
    failed(await place.ferry(words.split(' '), { env }), words)
}

/** Leaves a lock, and whatever was half-way; the next run takes both over. */
const killed = async (place: Watched): Promise<void> => {
  const ids = '{ ids: [valve-resets, beacon-class-b, sensor-decoder, lamps-group] }'
  await place.plan({ file: 'killed.yaml', name: 'killed', include: ids, policy: GENERATED })
  const { code } = await place.ferry(['apply', 'killed.yaml', '--yes', '--json-lines'], {
    onOutput: (text, kill) => text.includes('"apply.started"') && setTimeout(() => kill('SIGKILL'), 60),
  })
  if (code !== null) throw new Error(`the run ended with ${code} before it was killed`)
  await place.ferry(['state', 'show', 'killed.yaml'])
  await place.ferry(['apply', 'killed.yaml', '--yes'])
}

const identities = async (place: Watched): Promise<void> => {
  const { byDesign, secrets } = place
  await place.ferry(['escrow', 'keygen', '-o', 'other.txt'])
  byDesign.set('other.txt', ['age'])
  secrets.age.add(identityIn(await place.read('other.txt')))
  const broken = `${identityIn(await place.read('other.txt')).slice(0, -1)}B`
  secrets.age.add(broken)
  byDesign.set('broken.txt', ['age'])
  await writeFile(place.path('broken.txt'), `${broken}\n`, { mode: 0o600 })
  byDesign.set('open.txt', ['age'])
  await writeFile(place.path('open.txt'), await place.read('identity.txt'))
  await chmod(place.path('open.txt'), 0o644)
  for (const file of ['other.txt', 'broken.txt', 'open.txt', 'none.txt']) {
    const env = { FERRY_AGE_IDENTITY: place.path(file) }
    failed(await place.ferry(RESTORE.split(' '), { env }), `${RESTORE} with ${file}`)
  }
  const env = { FERRY_AGE_IDENTITY: place.path('other.txt') }
  failed(await place.ferry(['rollback', 'killed.yaml', '--yes', '--debug'], { env }), 'rollback')
}

const damaged = async (place: Watched): Promise<void> => {
  const folder = place.path('killed.escrow')
  for (const name of await readdir(folder)) {
    const bytes = await readFile(`${folder}/${name}`)
    await writeFile(`${folder}/${name}`, bytes.subarray(0, bytes.length - 20))
  }
  failed(await place.ferry(RESTORE.split(' ')), 'a damaged escrow')
  failed(await place.ferry(['escrow', 'credentials', 'killed.yaml', '--stdout', '--debug']), 'credentials')
  const state = await place.read('killed.state.jsonl')
  await place.write('killed.state.jsonl', state.slice(0, -30).replace('"', ''))
  failed(await place.ferry(['status', 'killed.yaml', '--debug']), 'a damaged state')
  await place.ferry(['state', 'repair', 'killed.yaml'])
}

const unexpected = async (place: Watched): Promise<void> => {
  await place.write('hook.mjs', HOOK)
  const [apiKey = ''] = place.secrets.api
  const keys = [...place.secrets.devices].slice(0, 3)
  for (const secret of [apiKey, ...place.secrets.age, `${apiKey} ${keys[0]} ${keys[1]}`]) {
    const env = { NODE_OPTIONS: `--import=${place.path('hook.mjs')}`, PLANTED: secret }
    const ended = await place.ferry(['apply', 'killed.yaml', '--yes', '--debug=unexpected.log'], { env })
    if (!ended.stderr.includes('Unexpected TypeError')) throw new Error(`was expected: ${ended.stderr}`)
  }
}

/** Keys where a plan must hold none: each way to write them down, and YAML that breaks near them. */
const literalKeys = async (place: Watched): Promise<void> => {
  const good = await place.read('killed.yaml')
  const [apiKey = ''] = place.secrets.api
  const [key = ''] = place.secrets.devices
  const [age = ''] = place.secrets.age
  const bad: readonly string[] = [
    good.replace('apiKey: { env: SOURCE_API_KEY }', `apiKey: ${apiKey}`),
    good.replace('apiKey: { env: SOURCE_API_KEY }', `apiKey: { env: ${apiKey} }`),
    good.replace('apiKey: { env: SOURCE_API_KEY }', `apiKey: { file: "${apiKey}" }`),
    good.replace('apiKey: { env: SOURCE_API_KEY }', `apiKey: { ${apiKey}: x }`),
    good.replace('apiKey: { env: SOURCE_API_KEY }', `apiKey: "${apiKey}`),
    good.replace(/recipients: \[.*\]/, `recipients: [${age}]`),
    good.replace('policy: {', `policy: { appKey: ${key}, rootKeys: ${key}, `),
    good.replace('metadata: {', `metadata: { labels: { key: ${key.toLowerCase()} }, ${key}: 1, `),
    good.replace(/ids: \[/, `ids: [${key}, `),
  ]
  for (const [index, text] of bad.entries()) {
    const file = `bad-${index}.yaml`
    byDesignAll(place, file)
    await place.write(file, text)
    const words = index % 3 === 0 ? ['plan', file, '--json'] : ['validate', file]
    await place.ferry([...words, '--debug'])
  }
  failed(await place.ferry(['validate', '--json']), 'validate of all')
}

const byDesignAll = (place: Watched, file: string): void => {
  place.byDesign.set(file, ['devices', 'api', 'age'])
}
