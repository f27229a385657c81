import { describe, expect, it } from 'vitest'
import type { RollbackRow, RolledBack } from '../../../src/domain/rollback.ts'
import {
  renderRollbackPlan,
  renderRolledBack,
  renderRolledBackJson,
} from '../../../src/report/rollback-report.ts'

const ROWS: readonly RollbackRow[] = [
  { device: 'meter-1', target: 'meter-001', action: 'undo', losses: ['joins-again'] },
  { device: 'meter-2', target: 'meter-2', action: 'undo', losses: ['joins-again', 'registered-anew'] },
  { device: 'valve-1', target: 'valve-1', action: 'finish', losses: ['reset-stays', 'downlinks-copied'] },
  { device: 'lamp-1', target: 'lamp-1', action: 'leave', because: 'nothing of it was done', losses: [] },
]
const DONE: readonly RolledBack[] = [
  { device: 'meter-1', target: 'meter-001', status: 'undone', losses: ['joins-again'] },
  { device: 'meter-2', target: 'meter-2', status: 'skipped', losses: [] },
  {
    device: 'valve-1',
    target: 'valve-1',
    status: 'failed',
    losses: [],
    error: { code: 'ServerError', message: 'the Network Server answered 503', hint: 'run again later' },
  },
  { device: 'lamp-1', target: 'lamp-1', status: 'left', because: 'nothing of it was done', losses: [] },
]

describe('a rollback', () => {
  it('says what it can not undo before it starts', async () => {
    await expect(renderRollbackPlan(ROWS, { width: 80 })).toMatchFileSnapshot('golden/rollback-plan.txt')
  })
  it('ends with what is left to do', async () => {
    await expect(renderRolledBack(DONE, 'building-a.yaml', { width: 80 })).toMatchFileSnapshot(
      'golden/rollback-partly.txt',
    )
  })
  it('is one JSON document', () => {
    expect(JSON.parse(renderRolledBackJson(DONE))).toMatchObject({
      kind: 'rollback',
      devices: [
        { status: 'undone' },
        {},
        { error: { code: 'ServerError' } },
        { because: expect.any(String) },
      ],
    })
  })
})
