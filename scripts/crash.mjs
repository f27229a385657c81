// The long suite: kills the command everywhere, breaks its network and its files, and says in the end what it survived.
// FERRY_CRASH_CASE runs one case alone, FERRY_CRASH_SAMPLE so many kills a course, FERRY_TEST_SEED draws other ones.
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { rolldown } from 'rolldown'

process.chdir(resolve(import.meta.dirname, '..'))
const scratch = mkdtempSync(join(tmpdir(), 'ferry-crash-tally-'))
const tally = join(scratch, 'tally')
const seed = process.env.FERRY_TEST_SEED ?? '1'

/** What the tests wrote down: `kills 12` a line. */
const sums = () => {
  const lines = existsSync(tally) ? readFileSync(tally, 'utf8').trim().split('\n') : []
  const sum = { kills: 0, faults: 0, mutations: 0 }
  for (const line of lines) {
    const [kind, count] = line.split(' ')
    sum[kind] += Number(count)
  }
  return sum
}

const node = (args, env = {}) =>
  spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...process.env, ...env } }).status ?? 1

/**
 * The command is started thousands of times, and most of what a start takes is opening and compiling four hundred files:
 * here it is one, and a first run of it leaves its compiled code to the others. As deep as `dist/cli`, where it looks for
 * what is packed beside it. `npm test` kills `dist/cli` itself.
 */
const bundled = async () => {
  const bundle = await rolldown({ input: 'dist/cli/main.js', platform: 'node' })
  await bundle.write({
    dir: 'build/crash',
    cleanDir: true,
    format: 'cjs',
    codeSplitting: false,
    entryFileNames: 'whole.cjs',
  })
  await bundle.close()
  const command = resolve('build/crash/ferry.cjs')
  copyFileSync('test/crash/compiled-once.cjs', command)
  // The demo starts networks, which look for their data one folder up.
  cpSync('dist/simulator/data', 'build/data', { recursive: true })
  if (
    spawnSync(process.execPath, [command, 'demo', '--no-color'], {
      env: { ...process.env, FERRY_CRASH_COMPILE: '1' },
    }).status
  )
    throw new Error('the demo of the bundled command fails')
  return command
}

const began = performance.now()
try {
  const status =
    node(['scripts/build.mjs']) ||
    node(['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.crash.config.ts'], {
      FERRY_CRASH_COMMAND: await bundled(),
      FERRY_CRASH_TALLY: tally,
      FERRY_TEST_SEED: seed,
    })
  const { kills, faults, mutations } = sums()
  const minutes = ((performance.now() - began) / 60_000).toFixed(1)
  console.log(
    `survived ${kills} kills, ${faults} faults, ${mutations} mutations; seed ${seed}; ${minutes} minutes; ${status === 0 ? 'nothing failed' : 'NOT ALL PASSED'}`,
  )
  // A case that nobody knows by that name must not look like one that passed.
  const isEmpty = kills + faults + mutations === 0
  if (isEmpty) console.log('no case was run: look at the name in FERRY_CRASH_CASE')
  process.exitCode = status || (isEmpty ? 1 : 0)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
