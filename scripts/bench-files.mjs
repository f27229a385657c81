// How long a plan takes for a file of many devices against an empty application, and how much memory. Not a test: it tells
// figures. FERRY_BENCH_DEVICES=200000 devices of the size of usual ones; then a file of FERRY_BENCH_MEBIBYTES=1024 MiB, with
// devices that tell all they have (0 leaves it out). Linux alone tells the memory of another process.
import { spawn } from 'node:child_process'
import { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startSimulator } from '../dist/simulator/index.js'

const devices = Number(process.env.FERRY_BENCH_DEVICES ?? 200_000)
const mebibytes = Number(process.env.FERRY_BENCH_MEBIBYTES ?? 1024)
const folder = mkdtempSync(join(tmpdir(), 'ferry-bench-files-'))
const simulator = await startSimulator({ empty: true })
const target = { ...simulator.networks[1], application: 'meters' }
await fetch(`${target.url}/api/v3/users/admin/applications`, {
  method: 'POST',
  headers: { authorization: `Bearer ${target.apiKey}`, 'content-type': 'application/json' },
  body: JSON.stringify({ application: { ids: { application_id: target.application } } }),
})

const hex = (number, digits) => number.toString(16).toUpperCase().padStart(digits, '0')
const key = (kind, number) => ({ key: `${kind}${hex(number, 30)}` })
const channel = (index) => ({
  uplink_frequency: String(867_100_000 + index * 200_000),
  downlink_frequency: String(867_100_000 + index * 200_000),
  max_data_rate_index: 'DATA_RATE_5',
  enable_uplink: true,
})
const uplink = (number) => ({
  payload: {
    m_hdr: { m_type: 'UNCONFIRMED_UP' },
    mic: 'AAAAAA==',
    mac_payload: { f_port: 1, f_cnt: number },
  },
  settings: { data_rate: { lora: { bandwidth: 125_000, spreading_factor: 7 } }, frequency: '868100000' },
  rx_metadata: Array.from({ length: 3 }, (_, index) => ({
    gateway_ids: { gateway_id: `made-up-${index}`, eui: '0000000000000001' },
    rssi: -80,
    snr: 7.5,
    timestamp: number,
  })),
})

/** A made-up device; a whole one tells its last uplinks too, as a Network Server does. */
const deviceOf = (number, isWhole) => ({
  ids: { device_id: `meter-${number}`, dev_eui: `70B3D57E${hex(number, 8)}`, join_eui: '70B3D57ED0009000' },
  name: `Meter ${number}`,
  attributes: { floor: String(number % 40) },
  lorawan_version: 'MAC_V1_0_3',
  lorawan_phy_version: 'PHY_V1_0_3_REV_A',
  frequency_plan_id: 'EU_863_870_TTN',
  supports_join: true,
  root_keys: { app_key: key('A1', number) },
  mac_settings: { rx1_delay: 1, supports_32_bit_f_cnt: true },
  session: {
    dev_addr: `2700${hex(number % 65_536, 4)}`,
    keys: {
      session_key_id: 'AAAAAAAAAAAAAAAAAAAAAA==',
      f_nwk_s_int_key: key('B1', number),
      s_nwk_s_int_key: key('B1', number),
      nwk_s_enc_key: key('B1', number),
      app_s_key: key('C1', number),
    },
    last_f_cnt_up: number,
    last_n_f_cnt_down: 3,
    started_at: '2026-01-01T00:00:00Z',
  },
  mac_state: {
    lorawan_version: 'MAC_V1_0_3',
    current_parameters: { rx1_delay: 1, channels: [0, 1, 2].map(channel) },
    desired_parameters: { rx1_delay: 5, channels: [0, 1, 2].map(channel) },
    ...(isWhole ? { recent_uplinks: Array.from({ length: 10 }, () => uplink(number)) } : {}),
  },
})

const writeFleet = async (path, isWhole, isEnough) => {
  const out = createWriteStream(path)
  let number = 0
  let bytes = 0
  while (!isEnough(number, bytes)) {
    const line = `${JSON.stringify(deviceOf(++number, isWhole))}\n`
    bytes += line.length
    if (!out.write(line)) await new Promise((drained) => out.once('drain', drained))
  }
  await new Promise((done) => out.end(done))
  return number
}

/** Kilobytes that a process held at most. */
const peakOf = (pid) => {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

const plan = (file) =>
  new Promise((done, fail) => {
    const child = spawn(
      process.execPath,
      [resolve('dist/cli/main.js'), 'plan', file, '-o', 'fleet.changes'],
      {
        cwd: folder,
        env: { PATH: process.env.PATH, HOME: folder, TARGET_API_KEY: target.apiKey },
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    )
    let peak = 0
    const watch = setInterval(() => {
      peak = Math.max(peak, peakOf(child.pid))
    }, 50)
    child.once('error', fail)
    child.once('close', (code) => {
      clearInterval(watch)
      done({ code, peak })
    })
  })

const measure = async (name, isWhole, isEnough) => {
  const path = join(folder, `${name}.json`)
  const written = await writeFleet(path, isWhole, isEnough)
  writeFileSync(
    join(folder, `${name}.yaml`),
    `apiVersion: ferry/v1
kind: MigrationPlan
metadata: { name: ${name} }
source: { network: file, path: ${name}.json }
target: { network: things-stack, url: "${target.url}", application: ${target.application}, apiKey: { env: TARGET_API_KEY }, insecure: true }
devices: { include: [{ all: true }] }
policy: { persistSession: true }
coverage: { gateways: on-target }
`,
  )
  const size = statSync(path).size / 2 ** 20
  const began = performance.now()
  const { code, peak } = await plan(`${name}.yaml`)
  const seconds = (performance.now() - began) / 1000
  console.log(
    `${written} devices, ${size.toFixed(0)} MiB: plan ended with ${code} in ${seconds.toFixed(1)} s, at most ${(peak / 1024).toFixed(0)} MiB of memory`,
  )
  rmSync(path)
}

try {
  await measure('many', false, (number) => number >= devices)
  if (mebibytes > 0) await measure('whole', true, (_number, bytes) => bytes >= mebibytes * 2 ** 20)
} finally {
  await simulator.close()
  rmSync(folder, { recursive: true, force: true })
}
