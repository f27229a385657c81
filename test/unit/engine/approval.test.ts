import { describe, expect, it } from 'vitest'
import type { ChangeSet, DeviceChange } from '../../../src/domain/change-set.ts'
import type { Digest } from '../../../src/domain/identifiers.ts'
import type { JournalRecord } from '../../../src/domain/journal.ts'
import { compareWithApproved } from '../../../src/engine/planning/approval.ts'
import { changeSet, joiningAnew, sessionKept } from '../../support/change-sets.ts'
import { AT } from './support.ts'

const DIGEST = `sha256:${'1'.repeat(64)}` as Digest
const expecting = (change: DeviceChange, more: object = {}): DeviceChange => ({
  ...change,
  expect: { rootKeys: '1', session: '2', settings: '3', target: null, ...more },
})
const base = (...devices: readonly DeviceChange[]): ChangeSet => changeSet(devices)
const approved = base(expecting(sessionKept(1)), expecting(joiningAnew(2)))
const now = (edit: (set: ChangeSet) => Partial<ChangeSet>): ChangeSet => ({ ...approved, ...edit(approved) })
const first = (edit: Partial<DeviceChange>): ChangeSet =>
  now(({ devices }) => ({
    devices: devices.map((item, index) => (index === 0 ? { ...item, ...edit } : item)),
  }))

describe('an approved change set', () => {
  it('is carried out when nothing but counters and live values moved', () => {
    const moved = first({ fields: [], findings: [] })
    expect(compareWithApproved(approved, moved, [])).toEqual({ ok: true, stale: new Set() })
  })

  it('leaves a device alone that joined anew', () => {
    const [device] = approved.devices
    const joined = first({
      expect: { ...device?.expect, session: 'other' } as NonNullable<DeviceChange['expect']>,
    })
    expect(compareWithApproved(approved, joined, [])).toEqual({ ok: true, stale: new Set([device?.device]) })
  })

  it.each([
    ['the plan', now((set) => ({ plan: { ...set.plan, digest: DIGEST } }))],
    ['the source', now((set) => ({ source: { ...set.source, application: 'other' } }))],
    ['the target', now((set) => ({ target: { ...set.target, host: 'other.example' } }))],
    ['the lineage', now((set) => ({ base: { ...set.base, lineage: 'sha256:other' } }))],
    ['the serial', now((set) => ({ base: { ...set.base, serial: set.base.serial + 1 } }))],
    ['an action', first({ action: 'adopt' })],
    ['a target id', first({ target: 'other' })],
    ['the way', first({ route: 'joining-anew' })],
    ['steps', first({ steps: ['escrow'] })],
    ['an EUI', first({ devEui: '70B3D57ED00F0099' })],
    ['root keys', first({ expect: { rootKeys: 'x', session: '2', settings: '3', target: null } })],
    ['settings', first({ expect: { rootKeys: '1', session: '2', settings: 'x', target: null } })],
    ['what the target holds', first({ expect: { rootKeys: '1', session: '2', settings: '3', target: 'x' } })],
    ['a device less', now(({ devices }) => ({ devices: devices.slice(1) }))],
    ['a device more', now(({ devices }) => ({ devices: [...devices, expecting(joiningAnew(9))] }))],
  ])('is refused whole when it differs by %s', (_what, later) => {
    const approval = compareWithApproved(approved, later, [])
    expect(approval.ok).toBe(false)
    if (!approval.ok) expect(approval.differences.length).toBeGreaterThan(0)
  })

  it('goes on where it was interrupted: the state grew by itself alone', () => {
    const open = (changeSetDigest: Digest): JournalRecord => ({
      t: 'open',
      run: 'one',
      at: AT,
      command: 'apply',
      plan: approved.plan.digest,
      changeSet: changeSetDigest,
      tool: 'test',
    })
    const grown = now((set) => ({
      base: { ...set.base, serial: set.base.serial + 5 },
      devices: set.devices.map((item, index) =>
        index === 0 ? { ...item, action: 'resume', steps: ['hear'], status: 'crossing' } : item,
      ),
    }))
    expect(compareWithApproved(approved, grown, [open(approved.digest)]).ok).toBe(true)
    expect(compareWithApproved(approved, grown, [open(DIGEST)]).ok).toBe(false)
    expect(compareWithApproved(approved, grown, [open(approved.digest), open(DIGEST)]).ok).toBe(false)
  })

  it('tells no more than a few differences', () => {
    const many = base(...Array.from({ length: 30 }, (_, index) => expecting(joiningAnew(index + 1))))
    const approval = compareWithApproved(many, { ...many, devices: [] }, [])
    expect(approval.ok ? [] : approval.differences).toHaveLength(6)
  })
})
