import { EventEmitter } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { type InterruptOptions, listenToSignals } from '../../../src/cli/interrupts.ts'

const listening = (options: Partial<InterruptOptions> = {}) => {
  const process = new EventEmitter()
  const told: string[] = []
  const exits: string[] = []
  const interrupts = listenToSignals({
    process,
    tell: (sentence) => told.push(sentence),
    exit: (end) => exits.push(end),
    ...options,
  })
  return { process, told, exits, interrupts }
}

describe('interrupts', () => {
  test('the first ends at once what does not drain', () => {
    const { process, interrupts } = listening()
    process.emit('SIGTERM')
    expect([interrupts.signal.aborted, interrupts.end()]).toEqual([true, 'sigterm'])
  })

  test('the first drains, the second aborts, the third ends the process', async () => {
    const { process, told, exits, interrupts } = listening()
    interrupts.drain()
    expect(interrupts.draining()).toBe(false)
    process.emit('SIGINT')
    await interrupts.first
    expect([interrupts.draining(), interrupts.signal.aborted]).toEqual([true, false])
    expect(told[0]).toContain('press Ctrl-C again')
    process.emit('SIGTERM')
    expect([interrupts.signal.aborted, exits]).toEqual([true, []])
    process.emit('SIGINT')
    expect(exits).toEqual(['sigint'])
  })

  test('draining has a limit, and so has what follows', async () => {
    const { process, exits, interrupts } = listening({ drainLimit: 10, abortLimit: 10 })
    interrupts.drain()
    process.emit('SIGTERM')
    while (exits.length === 0) await wait(5)
    expect([interrupts.signal.aborted, exits]).toEqual([true, ['sigterm']])
  })

  test('nothing is heard after the end', () => {
    const { process, interrupts } = listening()
    interrupts.dispose()
    process.emit('SIGINT')
    expect(interrupts.end()).toBeUndefined()
  })
})
