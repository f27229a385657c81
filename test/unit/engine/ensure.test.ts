import { beforeEach, describe, expect, it } from 'vitest'
import type { DeviceRecord } from '../../../src/domain/device.ts'
import { NetworkError } from '../../../src/domain/errors.ts'
import type { JournalRecord } from '../../../src/domain/journal.ts'
import type { NetworkPort, RegistryWrite } from '../../../src/domain/ports.ts'
import { deviceJournal } from '../../../src/engine/crossing/device-journal.ts'
import {
  type Ensuring,
  ensureRemoved,
  ensureWrite,
  StepFailure,
} from '../../../src/engine/crossing/ensure.ts'
import { foldState } from '../../../src/engine/progress/fold.ts'
import { begin, device, IS, intended, key, memoryJournal, NS, networkWith, nowhere } from './support.ts'

const fails = (status: number | undefined, effect: 'none' | 'unknown'): NetworkError =>
  new NetworkError('Made', 'made up', {
    effect,
    request: 'PUT /made-up',
    ...(status === undefined ? {} : { status }),
  })
const refused = fails(400, 'none')
const noAnswer = fails(undefined, 'unknown')

const WRITE: RegistryWrite = { registry: IS, ids: { deviceId: 'meter-1' }, fields: { name: 'Meter 1' } }
const there = device()

/** What is answered to each write, in turn, and to each reading. */
interface Script {
  readonly writes: readonly (NetworkError | 'ok')[]
  readonly reads?: readonly DeviceRecord[]
  readonly before?: readonly JournalRecord[]
}

let calls: string[]
beforeEach(() => {
  calls = []
})

const stage = ({
  writes,
  reads = [],
  before = [],
}: Script): Ensuring & { readonly kept: () => readonly JournalRecord[] } => {
  const journal = memoryJournal()
  const [answers, readings] = [[...writes], [...reads]]
  const answer = async (name: string): Promise<void> => {
    calls.push(name)
    const next = answers.shift()
    if (next === undefined) throw new Error(`one ${name} too many`)
    if (next !== 'ok') throw next
  }
  const network: NetworkPort = networkWith({
    write: () => answer('write'),
    remove: async () => {
      await answer('remove')
      return 'done'
    },
    read: async () => {
      calls.push('read')
      return readings.shift() ?? nowhere
    },
  })
  return {
    journal: deviceJournal('meter-1', journal, foldState([begin(), ...before]), () => new Date()),
    network,
    side: 'target',
    pause: async () => void calls.push('pause'),
    kept: () => journal.records,
  }
}

const outcomes = (records: readonly JournalRecord[]): readonly string[] =>
  records.map((record) => (record.t === 'outcome' ? record.status : record.t))

describe('a write', () => {
  it('leaves its intent before, and its outcome after', async () => {
    const given = stage({ writes: ['ok'] })
    await ensureWrite(given, 'create-identity', WRITE)
    expect(calls).toEqual(['write'])
    expect(outcomes(given.kept())).toEqual(['intent', 'done'])
  })

  it('that is refused is not tried again', async () => {
    const given = stage({ writes: [refused] })
    await expect(ensureWrite(given, 'create-identity', WRITE)).rejects.toBeInstanceOf(StepFailure)
    expect(calls).toEqual(['write'])
    expect(outcomes(given.kept())).toEqual(['intent', 'failed'])
  })

  it('without an answer is looked for before anything is sent again, and done where it is found', async () => {
    const given = stage({ writes: [noAnswer], reads: [there] })
    await ensureWrite(given, 'create-identity', WRITE)
    expect(calls).toEqual(['write', 'pause', 'read'])
    expect(outcomes(given.kept())).toEqual(['intent', 'unknown', 'already'])
  })

  it('without an answer that is not found is sent again', async () => {
    const given = stage({ writes: [noAnswer, 'ok'], reads: [nowhere] })
    await ensureWrite(given, 'create-identity', WRITE)
    expect(calls).toEqual(['write', 'pause', 'read', 'write'])
    expect(outcomes(given.kept())).toEqual(['intent', 'unknown', 'intent', 'done'])
  })

  it('without an answer, again and again, is given up and stays unknown', async () => {
    const given = stage({ writes: [noAnswer, noAnswer, noAnswer] })
    await expect(ensureWrite(given, 'create-identity', WRITE)).rejects.toBeInstanceOf(StepFailure)
    expect(calls.filter((call) => call === 'write')).toHaveLength(3)
    expect(outcomes(given.kept()).at(-1)).toBe('unknown')
  })

  it('of an earlier run that may have worked is looked for first', async () => {
    const given = stage({ writes: [], reads: [there], before: [intended('create-identity')] })
    await ensureWrite(given, 'create-identity', WRITE)
    expect(calls).toEqual(['read'])
    expect(outcomes(given.kept())).toEqual(['already'])
  })

  it('that finds its own work late (409) is done', async () => {
    const given = stage({ writes: [noAnswer, fails(409, 'none')], reads: [nowhere, there] })
    await ensureWrite(given, 'create-identity', WRITE)
    expect(calls).toEqual(['write', 'pause', 'read', 'write', 'read'])
    expect(outcomes(given.kept()).at(-1)).toBe('already')
  })

  it('that finds the work of others (409) at the first attempt has failed, unread', async () => {
    const given = stage({ writes: [fails(409, 'none')], reads: [there] })
    await expect(ensureWrite(given, 'create-identity', WRITE)).rejects.toBeInstanceOf(StepFailure)
    expect(calls).toEqual(['write'])
  })

  it('for which the credential is refused ends the run', async () => {
    const given = stage({ writes: [fails(403, 'none')] })
    await expect(ensureWrite(given, 'create-identity', WRITE)).rejects.toBeInstanceOf(NetworkError)
    expect(outcomes(given.kept())).toEqual(['intent', 'failed'])
  })

  it('names its fields in the state, and never a value', async () => {
    const given = stage({ writes: ['ok'] })
    const keys = { 'session.keys.f_nwk_s_int_key.key': key('B1') }
    await ensureWrite(given, 'set-network', { ...WRITE, registry: NS, fields: keys, clear: ['mac_state'] })
    expect(given.kept()[0]).toMatchObject({ paths: ['session.keys.f_nwk_s_int_key.key', 'mac_state'] })
    expect(JSON.stringify(given.kept())).not.toContain('B1B1')
  })
})

describe('a delete', () => {
  it('without an answer is sent again unread: a second one finds nothing', async () => {
    const given = stage({ writes: [noAnswer, 'ok'] })
    await ensureRemoved(given, 'delete-identity', IS, { deviceId: 'meter-1' })
    expect(calls).toEqual(['remove', 'pause', 'remove'])
    expect(outcomes(given.kept())).toEqual(['intent', 'unknown', 'intent', 'done'])
  })
})
