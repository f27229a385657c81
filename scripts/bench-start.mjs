// How long commands take that ask no network: `ferry --version`, and `ferry validate` of plans with 10,000 listed ids and with 10,000
// overrides. Not a test: it tells figures, the middle one of five.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ferry } from './bench/processes.mjs'

const TIMES = 5
const DEVICES = 10_000
const folder = mkdtempSync(join(tmpdir(), 'ferry-bench-start-'))
const ids = Array.from({ length: DEVICES }, (_, number) => `meter-${String(number).padStart(6, '0')}`)

const end = (port, key) =>
  `{ network: things-stack, url: "http://127.0.0.1:${port}", application: meters, apiKey: { env: ${key} }, insecure: true }`
const writePlan = (name, devices) =>
  writeFileSync(
    join(folder, `${name}.yaml`),
    `apiVersion: ferry/v1
kind: MigrationPlan
metadata: { name: ${name} }
source: ${end(9, 'SOURCE_API_KEY')}
target: ${end(7, 'TARGET_API_KEY')}
devices:
${devices}
policy: { persistSession: true }
`,
  )

const middle = async (args) => {
  const seconds = []
  let code
  for (let time = 0; time < TIMES; time += 1) {
    const ended = await ferry(folder, args)
    code = ended.code
    seconds.push(ended.seconds)
  }
  console.log(
    `ferry ${args.join(' ')}: ended with ${code}, ${seconds.sort()[Math.floor(TIMES / 2)].toFixed(2)} s`,
  )
}

try {
  writePlan('ids', `  include: [{ ids: [${ids.join(', ')}] }]`)
  writePlan(
    'overrides',
    `  include: [{ all: true }]
  overrides:
${ids.map((id) => `    - { ids: [${id}], set: { name: Name of ${id} } }`).join('\n')}`,
  )
  await middle(['--version'])
  await middle(['validate', 'ids.yaml'])
  await middle(['validate', 'overrides.yaml'])
} finally {
  rmSync(folder, { recursive: true, force: true })
}
