import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import type { Audit, AuditedDevice, AuditFinding, Registration } from '../../../src/domain/audit.ts'
import { renderAudit, renderAuditJson } from '../../../src/report/audit-report.ts'
import { displayWidth } from '../../../src/report/width.ts'

const registration = (deviceId: string, more: Partial<Registration> = {}): Registration => ({
  deviceId,
  status: 'complete',
  devEui: '70B3D57ED00F0001',
  joinEui: '70B3D57ED0009000',
  activation: 'otaa',
  held: ['identity-server', 'join-server', 'application-server', 'network-server'],
  missing: [],
  hasSession: true,
  ...more,
})
const absent = (deviceId: string): Registration => ({
  deviceId,
  status: 'absent',
  held: [],
  missing: [],
  hasSession: false,
})
const row = (device: string, source = registration(device)): AuditedDevice => ({
  device,
  target: device,
  selected: true,
  source,
  onTarget: absent(device),
})
const audit = (devices: readonly AuditedDevice[], findings: readonly AuditFinding[] = []): Audit => ({
  plan: { name: 'building-a', file: 'building-a.yaml' },
  source: { network: 'things-stack', host: 'source.example', application: 'building-a' },
  target: { network: 'things-stack', host: 'target.example', application: 'building-b' },
  devices,
  findings,
})

const half = (number: number): AuditFinding => ({
  kind: 'half-registered',
  code: 'HalfRegistered',
  side: 'source',
  device: `meter-${number}`,
  devEui: `70B3D57ED00F00${String(number).padStart(2, '0')}`,
  message: `meter-${number} is on the source's IS, JS and NS, not on its AS: AppSKey and payload formatters are missing`,
  means: 'it can not keep its session, and can cross by joining anew',
  fix: 'write policy.adopt: partial and policy.persistSession: false in an override for it',
})
const orphan: AuditFinding = {
  kind: 'orphan',
  code: 'OrphanedRecord',
  side: 'target',
  device: 'old-1',
  message: "old-1 is on the target's JS, not on its IS, AS and NS: nothing lists it",
  means: 'no device of the plan gets its id; the Join Server would refuse its EUIs under another id',
  fix: 'if it is not in use: DELETE /api/v3/js/applications/building-b/devices/ID',
}
const found = audit(
  [...Array.from({ length: 8 }, (_, index) => row(`meter-${index + 1}`)), row('nobody', absent('nobody'))],
  [orphan, ...Array.from({ length: 7 }, (_, index) => half(index + 1))],
)

describe('an audit as text', () => {
  it('tells problems first, by kind, with the first devices and the repair; the last line is the sum', async () => {
    await expect(renderAudit(found, { width: 80 })).toMatchFileSnapshot('./golden/audit-80.txt')
  })

  it('is one line where all is well', () => {
    expect(renderAudit(audit([row('meter-1')]), { width: 120 })).toBe(
      'CLEAN  1 device in building-a on source.example and building-b on target.example: registered in whole.\n',
    )
  })

  it('counts no device that is nowhere', () => {
    expect(renderAudit(found)).toMatch(/\nFOUND {2}8 devices in /)
  })
})

describe('an audit as JSON', () => {
  it('is one document with every device and the registries that hold and miss it on each side', () => {
    const partly = registration('meter-1', {
      status: 'half-registered',
      held: ['identity-server', 'join-server', 'network-server'],
      missing: ['application-server'],
    })
    expect(JSON.parse(renderAuditJson(audit([row('meter-1', partly)], [half(1)])))).toMatchObject({
      format_version: expect.stringMatching(/^\d+\.\d+$/),
      kind: 'audit',
      verdict: 'found',
      summary: { devices: 1, findings: 1, half_registered: 1, orphan: 0 },
      findings: [{ kind: 'half-registered', code: 'HalfRegistered', side: 'source', device: 'meter-1' }],
      devices: [
        {
          device: 'meter-1',
          selected: true,
          on_source: { status: 'half-registered', held: ['IS', 'JS', 'NS'], missing: ['AS'] },
          on_target: { status: 'absent', held: [], missing: [] },
        },
      ],
    })
  })
})

test('whatever others wrote is harmless, and no line is wider than the terminal', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\u001b[31m', '\u202e', '🚰'.repeat(40)),
  )
  fc.assert(
    fc.property(text, text, fc.integer({ min: 60, max: 140 }), (name, words, width) => {
      const finding = { ...orphan, device: name, message: `${name} ${words}`, means: words, fix: words }
      const given = audit([row(name)], [finding])
      const shown = renderAudit(given, { width })
      expect(shown).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      for (const each of shown.split('\n')) expect(displayWidth(each)).toBeLessThanOrEqual(width)
      expect(renderAuditJson(given)).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
    }),
  )
})

test('what is as long as a key is never shown', () => {
  const long = 'A1'.repeat(16)
  const given = audit([], [{ ...orphan, message: long, means: long, fix: long, code: 'OrphanedRecord' }])
  expect(renderAudit(given) + renderAuditJson(given)).not.toContain(long)
})
