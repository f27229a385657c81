// Every check of the project, each told on a line of its own, and the sum as the last line:
// `N passed, N failed`, with `, N skipped` if any. Exits with 1 if anything failed.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

const root = resolve(import.meta.dirname, '..')
process.chdir(root)
const scratch = mkdtempSync(join(tmpdir(), 'ferry-check-'))
const sum = { passed: 0, failed: 0, skipped: 0 }

/** Runs a script of node, and answers its exit code with all that it printed. */
const node = (args, options = {}) => {
  const { status, stdout, stderr, error } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  })
  return { ok: status === 0, output: `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`.trim() }
}

const check = async (name, work) => {
  const began = performance.now()
  const { ok, output } = await work()
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  console.log(`${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(12)}${seconds.padStart(6)} s`)
  if (!ok) console.log(`${output}\n`)
  sum[ok ? 'passed' : 'failed'] += 1
}

const npm = (args) =>
  process.env.npm_execpath === undefined
    ? spawnSync('npm', args, { encoding: 'utf8', shell: process.platform === 'win32' })
    : spawnSync(process.execPath, [process.env.npm_execpath, ...args], { encoding: 'utf8' })

/** What is published is complete: it is packed, unpacked elsewhere, and run there. */
const checkPackage = async () => {
  const { messages, pkg } = await publint({ pkgDir: root, strict: true, pack: 'npm' })
  if (messages.length > 0)
    return { ok: false, output: messages.map((message) => formatMessage(message, pkg)).join('\n') }
  const packed = npm(['pack', '--json', '--ignore-scripts', '--pack-destination', scratch])
  if (packed.status !== 0) return { ok: false, output: packed.stderr }
  const [{ filename }] = JSON.parse(packed.stdout)
  const unpacked = spawnSync('tar', ['-xzf', filename], { cwd: scratch, encoding: 'utf8' })
  if (unpacked.status !== 0) return { ok: false, output: unpacked.stderr }
  const cwd = join(scratch, 'package')
  symlinkSync(join(root, 'node_modules'), join(cwd, 'node_modules'), 'junction')
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  const told = node(['dist/cli/main.js', '--version'], { cwd })
  if (!told.ok || told.output !== version) return { ok: false, output: `ferry --version: ${told.output}` }
  const library =
    "import('lorawan-ferry').then((ferry) => process.exit(typeof ferry.loadPlan === 'function' ? 0 : 1))"
  const imported = node(['-e', library], { cwd })
  if (!imported.ok) return imported
  return node(['dist/cli/main.js', 'demo'], { cwd, timeout: 60_000, env: { ...process.env, CI: 'true' } })
}

/** The tests with their own count; a file that can't even be loaded counts as one that failed. */
const runTests = () => {
  const report = join(scratch, 'tests.json')
  const { status } = spawnSync(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    { stdio: 'inherit' },
  )
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'))
    const unloaded = result.testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
    ).length
    const failed = result.numFailedTests + unloaded
    sum.passed += result.numPassedTests
    sum.failed += failed === 0 && status !== 0 ? 1 : failed
    sum.skipped += result.numPendingTests + result.numTodoTests
  } catch (error) {
    console.log(`FAILED  tests: ${error.message}`)
    sum.failed += 1
  }
}

try {
  await check('build', () => node(['scripts/build.mjs']))
  await check('format', () => node(['node_modules/@biomejs/biome/bin/biome', 'format', '.']))
  await check('lint', () =>
    node(['node_modules/@biomejs/biome/bin/biome', 'lint', '--error-on-warnings', '.']),
  )
  await check('types', () =>
    node(['node_modules/typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.test.json']),
  )
  await check('unused code', () => node(['node_modules/knip/bin/knip.js', '--no-progress']))
  await check('package', checkPackage)
  runTests()
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
console.log(`${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ''}`)
process.exitCode = sum.failed > 0 ? 1 : 0
