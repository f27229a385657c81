#!/usr/bin/env node
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { debugOption } from './debug-option.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { outputTo } from './output.ts'
import { parseCommandLine } from './program.ts'

/**
 * A fleet is held in memory: garbage may grow by two fifths of what lives, not to four times of it, before it is collected; of a
 * process that grew large, by a tenth. Collecting more often costs time: a tenth from the start, a sixth of that of a reading.
 */
const keepMemorySmall = (): void => {
  setFlagsFromString('--heap-growing-percent=40')
  const watch = setInterval(() => {
    if (process.memoryUsage.rss() < LARGE) return
    setFlagsFromString('--heap-growing-percent=10')
    clearInterval(watch)
  }, 200)
  watch.unref()
}
/** Bytes. */
const LARGE = 200 * 2 ** 20
keepMemorySmall()

const given = process.argv.slice(2)
const { file: debugFile, argv } = debugOption(given)
const refusesColour = argv.includes('--no-color')
const out = outputTo(process.stdout, process.env, refusesColour)
const err = outputTo(process.stderr, process.env, refusesColour)

/** Ends the process once its outputs were taken; sockets that are left open do not hold it. */
const end = async (code: number): Promise<never> => {
  await Promise.all([out.flush(), err.flush()])
  process.exit(code)
}

const main = async (): Promise<void> => {
  try {
    const parsed = await parseCommandLine(argv, {
      out: out.write,
      err: err.write,
      width: Math.min(100, Math.max(60, out.isTerminal ? out.width : err.width)),
    })
    if ('exitCode' in parsed) await end(parsed.exitCode)
    else {
      const { runAsked } = await import('./run.ts')
      await end(await runAsked(parsed.asked, { out, err, debugFile, argv: given }))
    }
  } catch {
    err.write(
      'error: Unexpected ferry could not start\n  hint: install it again: npm ci, or npm install -g lorawan-ferry\n',
    )
    await end(EXIT_CODES.unexpected)
  }
}

void main()
