// Speed, side by side in one run on the local networks with 40 ms of latency: this tool; the same requests one after another, as
// today's tools send them; and the floor, the same requests by a bare client at 8 to 128 at once, the best of them.
// Not a test: it takes minutes, and tells figures. FERRY_BENCH_DEVICES=2000, FERRY_BENCH_LATENCY=40 (milliseconds).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identityIn, writePlan } from './bench/plan.mjs'
import { ferry, script, startNetworks } from './bench/processes.mjs'

const devices = Number(process.env.FERRY_BENCH_DEVICES ?? 2_000)
const latencyMs = Number(process.env.FERRY_BENCH_LATENCY ?? 40)
/** Devices whose requests are sent one after another; the time is scaled to all of them. */
const ONE_BY_ONE = Math.min(100, devices)
const AT_ONCE = [128, 64, 32, 16, 8]

const folder = mkdtempSync(join(tmpdir(), 'ferry-bench-'))
const log = join(folder, 'requests.jsonl')
const round = (number, digits = 1) => number.toFixed(digits)

const withNetworks = async (work) => {
  const running = await startNetworks({ fleet: devices, latencyMs })
  try {
    return await work(running)
  } finally {
    await running.close()
  }
}

const replay = (options) =>
  withNetworks(async ({ networks }) => {
    const { answer, processor } = await script('replay.mjs', { log, networks, ...options })
    if (answer.different > 0)
      console.log(`  ${answer.different} of ${answer.requests} answers had another status than in the run`)
    return { ...answer, processor }
  })

try {
  console.log(`${devices} devices with sessions, ${latencyMs} ms of latency`)
  const identity = identityIn(folder)
  const run = await withNetworks(async ({ networks, startLog, writeLog }) => {
    await startLog()
    const env = writePlan(folder, networks, identity)
    const ended = await ferry(folder, ['apply', 'fleet.yaml', '--yes'], env)
    await writeLog(log)
    return ended
  })
  console.log(
    `this tool: ended with ${run.code} in ${round(run.seconds)} s, ${round(devices / run.seconds)} devices a second, at most ${round(run.mebibytes, 0)} MiB, ${round(run.processor)} s of processor`,
  )
  let floor
  for (const atOnce of AT_ONCE) {
    const sent = await replay({ atOnce, giveUpAfter: floor?.seconds })
    console.log(
      sent.isWhole
        ? `floor at ${atOnce}: ${round(sent.seconds)} s for ${sent.requests} requests, ${round(sent.processor)} s of processor`
        : `floor at ${atOnce}: given up after ${round(sent.seconds)} s, slower than at ${floor.atOnce}`,
    )
    if (sent.isWhole && (floor === undefined || sent.seconds < floor.seconds)) floor = { ...sent, atOnce }
  }
  const single = await replay({ atOnce: 1, devices: ONE_BY_ONE })
  const scaled = (single.seconds * devices) / ONE_BY_ONE
  console.log(
    `one after another: ${round(single.seconds)} s for ${ONE_BY_ONE} devices, ${round(scaled, 0)} s for ${devices}`,
  )
  console.log(
    `ratio to the floor ${round(run.seconds / floor.seconds, 2)}; ${round(scaled / run.seconds)} times faster than one after another; ${round(floor.requests / devices)} requests a device`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
