import { describe, expect, it } from 'vitest'
import type { SelectableDevice } from '../../../src/domain/migration-plan.ts'
import { templatedId } from '../../../src/plan/device-id-template.ts'
import { intentFor } from '../../../src/plan/select-devices.ts'
import { planOf, planText } from './support.ts'

const DEVICE = {
  deviceId: 'meter-7',
  devEui: '70B3D57E00000007',
  joinEui: '70B3D57ED0009000',
  attributes: { building: 'Town Hall', empty: '' },
} as unknown as SelectableDevice

describe('a rule for device ids', () => {
  it.each([
    ['north-{id}', { deviceId: 'north-meter-7' }],
    ['eui-{devEui}', { deviceId: 'eui-70b3d57e00000007' }],
    ['{attributes.building}-{id}', { deviceId: 'town-hall-meter-7' }],
    ['{joinEui}-{devEui}-{id}', { deviceId: '70b3d57ed0009000-70b3d57e00-951c5157' }],
    ['{attributes.floor}-{id}', { lacks: 'attributes.floor' }],
    ['{attributes.empty}-{id}', { lacks: 'attributes.empty' }],
    ['{attributes.constructor}-{id}', { lacks: 'attributes.constructor' }],
  ])('%s', (template, made) => {
    expect(templatedId(template, DEVICE)).toEqual(made)
  })

  it('renames by rule, and not a device whose id is that already', () => {
    const { plan } = planOf(
      planText({
        devices:
          'devices:\n  include: [{ all: true }]\n  overrides: [{ all: true, set: { deviceId: "{attributes.as}" } }]',
      }),
    )
    const of = (as: string) => intentFor(plan, { ...DEVICE, attributes: { as } }).intent
    expect(of('gate-1')).toMatchObject({ set: { deviceId: 'gate-1' }, renamedByRule: true })
    expect(of('meter-7')).not.toHaveProperty('renamedByRule')
  })
})
