// How long a plan takes to read a Stack V2 at its own five requests a second, beside what five a second take at least.
// Not a test: it takes minutes, and tells figures. FERRY_BENCH_DEVICES=1000 is as many as are read.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startSimulator } from '../dist/simulator/index.js'

const devices = Number(process.env.FERRY_BENCH_DEVICES ?? 1000)
const PER_SECOND = 5
const folder = mkdtempSync(join(tmpdir(), 'ferry-bench-v2-'))
const simulator = await startSimulator({ ttnV2: { devices } })
const [, target] = simulator.networks
const { v2 } = simulator

const plan = `apiVersion: ferry/v1
kind: MigrationPlan
metadata: { name: bench }
source:
  network: ttn-v2
  url: ${v2.url}
  application: ${v2.application}
  accessKey: { env: V2_ACCESS_KEY }
  defaults: { frequencyPlan: EU_863_870_TTN }
  insecure: true
target: { network: things-stack, url: "${target.url}", application: ${target.application}, apiKey: { env: TARGET_API_KEY }, insecure: true }
devices: { include: [{ all: true }] }
policy: { persistSession: true }
coverage: { gateways: on-target }
`
writeFileSync(join(folder, 'bench.yaml'), plan)

const run = () =>
  new Promise((done, fail) => {
    const child = spawn(process.execPath, [resolve('dist/cli/main.js'), 'plan', 'bench.yaml'], {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        V2_ACCESS_KEY: v2.accessKey,
        TARGET_API_KEY: target.apiKey,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    child.once('error', fail)
    child.once('close', done)
  })

try {
  const began = performance.now()
  const code = await run()
  const took = (performance.now() - began) / 1000
  const log = await fetch(`${v2.url}/simulator/v1/requests`).then((answer) => answer.json())
  const requests = log.requests.length
  const refused = log.requests.filter(({ status }) => status !== 200).length
  const least = requests / PER_SECOND
  console.log(
    `plan ended with ${code}: ${requests} requests for ${devices} devices and the sample, ${refused} refused, in ${took.toFixed(1)} s; ${PER_SECOND} a second take ${least.toFixed(1)} s; ratio ${(took / least).toFixed(3)}`,
  )
} finally {
  await simulator.close()
  rmSync(folder, { recursive: true, force: true })
}
