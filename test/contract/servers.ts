import { existsSync } from 'node:fs'
import type { Server } from './bench.ts'

export interface ServerUnderTest {
  readonly name: string
  start(): Promise<Server & { stop(): Promise<void> }>
}

const SIMULATOR = new URL('../../src/simulator/index.ts', import.meta.url)

interface Simulator {
  startSimulator(options: Record<string, unknown>): Promise<{
    readonly networks: readonly Server[]
    stop?(): Promise<void>
    close?(): Promise<void>
  }>
}

const simulator: ServerUnderTest = {
  name: 'simulator',
  start: async () => {
    const { startSimulator } = (await import(SIMULATOR.href)) as Simulator
    const started = await startSimulator({ empty: true })
    const [first] = started.networks
    if (first === undefined) throw new Error('the simulator started no network')
    return { url: first.url, apiKey: first.apiKey, stop: async () => (started.stop ?? started.close)?.() }
  },
}

const url = process.env['FERRY_TEST_THINGS_STACK_URL']
const apiKey = process.env['FERRY_TEST_THINGS_STACK_API_KEY']

/** Those that can be had: the simulator, and a real server where the environment names one. */
export const serversUnderTest: readonly ServerUnderTest[] = [
  ...(existsSync(SIMULATOR) ? [simulator] : []),
  ...(url !== undefined && apiKey !== undefined
    ? [{ name: 'real server', start: async () => ({ url, apiKey, stop: async () => {} }) }]
    : []),
]
