// Processes that are measured: how long they took, what memory they held at most, how much processor time they used.
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'

/** Clock ticks a second of /proc on every Linux. */
const TICKS = 100

/** Mebibytes that a process held at most, and its seconds of processor time; Linux alone tells them of another process. */
const usageOf = (pid) => {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const times = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return {
      mebibytes: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024,
      processor: (Number(times[11]) + Number(times[12])) / TICKS,
    }
  } catch {
    return undefined
  }
}

/** Waits for the end of a process. `answer` is the last message that it sent. */
const measured = async (child) => {
  const began = performance.now()
  let usage = { mebibytes: 0, processor: 0 }
  let answer
  const watch = setInterval(() => {
    const now = usageOf(child.pid)
    if (now !== undefined)
      usage = { mebibytes: Math.max(usage.mebibytes, now.mebibytes), processor: now.processor }
  }, 20)
  child.on('message', (message) => {
    answer = message
  })
  const [code] = await once(child, 'close')
  clearInterval(watch)
  return { code, seconds: (performance.now() - began) / 1000, answer, ...usage }
}

/** Runs `ferry` in a folder. */
export const ferry = (folder, args, env = {}) =>
  measured(
    spawn(process.execPath, [resolve('dist/cli/main.js'), ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, ...env },
      stdio: ['ignore', 'ignore', 'inherit'],
    }),
  )

/** Runs a script beside this one. */
export const script = (name, argument, execArgv = []) =>
  measured(fork(resolve(import.meta.dirname, name), [JSON.stringify(argument)], { execArgv }))

/** Starts the local networks. */
export const startNetworks = async (options) => {
  const child = fork(resolve(import.meta.dirname, 'networks.mjs'), [JSON.stringify(options)], {
    // A nursery in which answers die: of a small one they would move among the records, and all of those be marked more often.
    execArgv: ['--max-old-space-size=16000', '--max-semi-space-size=128'],
  })
  const [{ networks }] = await once(child, 'message')
  const ask = async (message) => {
    child.send(message)
    await once(child, 'message')
  }
  return {
    networks,
    startLog: () => ask({}),
    /** What was requested since the log was started, into a file. */
    writeLog: (file) => ask({ writeLog: file }),
    usage: () => usageOf(child.pid),
    close: async () => {
      child.disconnect()
      await once(child, 'exit')
    },
  }
}
