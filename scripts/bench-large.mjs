// Large fleets on the local networks without latency: how time and memory grow from one size to the next, and what an apply with
// nothing to do takes beside the floor of reading, the same requests by a bare client.
// Not a test: it takes 35 minutes, and tells figures. FERRY_BENCH_SIZES=10000,100000.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identityIn, writePlan } from './bench/plan.mjs'
import { ferry, script, startNetworks } from './bench/processes.mjs'

const sizes = (process.env.FERRY_BENCH_SIZES ?? '10000,100000').split(',').map(Number)
const AT_ONCE = [32, 64, 128]
const NOTHING_TO_DO = 'an apply with nothing to do'
const round = (number, digits = 1) => number.toFixed(digits)

const tell = (what, devices, { code, seconds, mebibytes, processor }) =>
  console.log(
    `${devices} devices, ${what}: ended with ${code} in ${round(seconds)} s, ${round(devices / seconds)} devices a second, at most ${round(mebibytes, 0)} MiB, ${round(processor)} s of processor`,
  )

/**
 * Another apply of the same fleet, and the requests of it by a bare client, in turns: each is measured as often, and the best of each
 * counts. Replays change nothing: all of them are reads.
 */
const readAgain = async (folder, devices, env, { networks, startLog, writeLog }) => {
  const log = join(folder, 'requests.jsonl')
  const again = []
  const floors = []
  for (const atOnce of AT_ONCE) {
    if (again.length === 0) await startLog()
    const run = await ferry(folder, ['apply', 'fleet.yaml', '--yes'], env)
    tell(NOTHING_TO_DO, devices, run)
    if (again.length === 0) await writeLog(log)
    again.push(run.seconds)
    const { answer } = await script('replay.mjs', { log, networks, atOnce })
    console.log(
      `floor of reading at ${atOnce}: ${round(answer.seconds)} s for ${answer.requests} requests, ${answer.different} answered otherwise`,
    )
    floors.push(answer.seconds)
  }
  console.log(`ratio to the floor of reading ${round(Math.min(...again) / Math.min(...floors), 2)}`)
}

const measure = async (devices, isFirst) => {
  const folder = mkdtempSync(join(tmpdir(), 'ferry-bench-large-'))
  const running = await startNetworks({ fleet: devices })
  try {
    const env = writePlan(folder, running.networks, identityIn(folder))
    const run = await ferry(folder, ['apply', 'fleet.yaml', '--yes'], env)
    tell('apply', devices, run)
    const { processor, mebibytes } = running.usage()
    console.log(`the networks: ${round(processor)} s of processor, at most ${round(mebibytes, 0)} MiB`)
    if (isFirst) await readAgain(folder, devices, env, running)
    else tell(NOTHING_TO_DO, devices, await ferry(folder, ['apply', 'fleet.yaml', '--yes'], env))
    return run.seconds / devices
  } finally {
    await running.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

let first
for (const devices of sizes) {
  const each = await measure(devices, first === undefined)
  if (first !== undefined) console.log(`time beside linear: ${round(each / first, 2)}`)
  first ??= each
}
