import { readFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import process from 'node:process'
import type { Emit, Host, Secret } from '../index.ts'
import type { Shell } from './shell.ts'
import { toolName } from './version.ts'

/** A pause that is longer waits for devices, not for a server: the first interrupt ends it. */
const LONG_PAUSE = 2_500

/** The machine as operations want it: values, and nothing of the process itself. */
export const hostOf = (shell: Shell, emit: Emit = () => undefined, identity?: Secret): Host => ({
  env: shell.env,
  clock: shell.clock,
  owner: {
    pid: process.pid,
    host: hostname(),
    user: userName(shell.env),
    bootId: bootId(),
    isAlive,
  },
  emit,
  tool: toolName(),
  folder: shell.folder,
  signal: shell.interrupts.signal,
  draining: shell.interrupts.draining,
  pause: (milliseconds) => pause(shell, milliseconds),
  ...(identity === undefined ? {} : { identity }),
})

const pause = ({ interrupts }: Shell, milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      interrupts.signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    interrupts.signal.addEventListener('abort', end)
    if (interrupts.signal.aborted) end()
    else if (milliseconds > LONG_PAUSE) void interrupts.first.then(end)
  })

const userName = (env: Shell['env']): string => {
  try {
    return userInfo().username
  } catch {
    // A container may run under a number that no user has.
    return env['USER'] ?? 'unknown'
  }
}

/** Empty where the system does not tell. */
const bootId = (): string => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

/** A process that may not be signalled lives. */
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}
