#!/usr/bin/env node
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { debugOption } from './debug-option.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { outputTo } from './output.ts'
import { parseCommandLine } from './program.ts'

/** Mebibytes from which garbage may grow by so many percent of what lives before it is collected. */
const GROWTH: readonly (readonly [mebibytes: number, percent: number])[] = [
  [120, 40],
  [300, 20],
  [430, 10],
]

/**
 * A fleet is held in memory, and V8 alone would let garbage grow to four times of what lives. Collecting more often takes time: a
 * tenth from the start takes a sixth of that of a reading. So it is done the more, the more there is.
 */
const keepMemorySmall = (): void => {
  let step = 0
  const look = (): void => {
    const mebibytes = process.memoryUsage.rss() / 2 ** 20
    const reached = GROWTH.findLastIndex(([from]) => mebibytes >= from)
    if (reached < step || reached === -1) return
    setFlagsFromString(`--heap-growing-percent=${GROWTH[reached]?.[1]}`)
    step = reached + 1
    if (step === GROWTH.length) clearInterval(watch)
  }
  const watch = setInterval(look, 200)
  watch.unref()
  look()
}
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
