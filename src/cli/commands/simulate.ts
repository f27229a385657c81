import { FerryError } from '../../index.ts'
import { startSimulator } from '../../simulator/index.ts'
import type { RateOption } from '../arguments.ts'
import { exitCodeOf } from '../exit-codes.ts'
import type { Command } from '../shell.ts'

interface SimulateOptions {
  readonly empty?: boolean
  readonly port?: number
  readonly latency?: number
  readonly split?: boolean
  readonly rate?: RateOption
  readonly with?: 'ttn-v2'
}

/** `ferry simulate`: one line of JSON on stdout, then until SIGINT or SIGTERM; that is its ordinary end. */
export const simulate: Command<SimulateOptions> = async (shell, _args, options) => {
  const running = await startSimulator({
    clock: shell.clock,
    empty: options.empty === true,
    split: options.split === true,
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.latency === undefined ? {} : { latencyMs: options.latency }),
    ...(options.rate === undefined ? {} : { rate: options.rate }),
    ...(options.with === undefined ? {} : { ttnV2: {} }),
  }).catch((cause: unknown) => {
    throw portTaken(cause, options.port)
  })
  const networks = [...running.networks, ...(running.v2 === undefined ? [] : [running.v2])]
  shell.out.write(`${JSON.stringify({ networks })}\n`)
  await shell.interrupts.first
  await running.close()
  shell.interrupts.forget()
  return exitCodeOf('done')
}

const portTaken = (cause: unknown, port: number | undefined): unknown =>
  cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE'
    ? new FerryError('usage', 'PortTaken', `a port from ${port ?? 0} on is taken`, {
        cause,
        hint: 'name another --port, or none for free ones',
      })
    : cause
