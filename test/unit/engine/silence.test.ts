import { describe, expect, test } from 'vitest'
import { SILENCE_REASONS } from '../../../src/domain/journal.ts'
import type { DeviceProgress } from '../../../src/engine/progress/progress.ts'
import { type SilenceInput, silenceReasons, silenceWords } from '../../../src/engine/progress/silence.ts'

const progress = (more: Partial<DeviceProgress> = {}): DeviceProgress => ({
  device: 'meter-1',
  target: 'meter-1',
  route: 'session-kept',
  adopts: [],
  steps: {},
  registeredBefore: false,
  livedOnTarget: false,
  escrow: {},
  baseline: {
    lastFCntUp: 7,
    devAddr: '27000F01',
    sourceDevAddr: '27000F01',
    heardBy: [{ id: 'roof-1' }, { id: 'roof-2' }],
  },
  ...more,
})

const reasons = (more: Partial<SilenceInput> = {}) =>
  silenceReasons({
    progress: progress(),
    network: { 'session.dev_addr': '27000F01', frequency_plan_id: 'EU_863_870_TTN' },
    frequencyPlan: 'EU_863_870_TTN',
    isOwnDevAddr: () => true,
    carriers: ['connected', 'away'],
    ...more,
  })

describe('why a device may not be heard', () => {
  test('is not guessed where nothing points to anything', () => {
    expect(reasons()).toEqual([])
    expect(reasons({ carriers: [], network: undefined, frequencyPlan: undefined })).toEqual([])
  })

  test('its gateways: only where none of them could hear it', () => {
    expect(reasons({ carriers: ['absent', 'absent'] })).toEqual(['gateways-absent'])
    expect(reasons({ carriers: ['away', 'absent'] })).toEqual(['gateways-away'])
    expect(reasons({ carriers: ['absent', 'unknown'] })).toEqual([])
    expect(reasons({ carriers: ['absent', 'connected'] })).toEqual([])
  })

  test('what the target makes of it', () => {
    const network = { 'session.dev_addr': '27000F01', frequency_plan_id: 'EU_863_870_TTN' }
    expect(reasons({ network: { ...network, 'mac_settings.schedule_downlinks': false } })).toEqual(['muted'])
    expect(reasons({ network: { ...network, frequency_plan_id: 'US_902_928_FSB_2' } })).toEqual([
      'other-plan',
    ])
    expect(reasons({ isOwnDevAddr: () => false })).toEqual(['foreign-dev-addr'])
    expect(reasons({ isOwnDevAddr: () => false, progress: progress({ route: 'joining-anew' }) })).toEqual([])
  })

  test('a device that nobody has heard before', () => {
    const baseline = { lastFCntUp: 0, devAddr: '27000F01', sourceDevAddr: '27000F01' }
    expect(reasons({ progress: progress({ baseline }), carriers: [] })).toEqual(['never-sent'])
  })

  test.each(SILENCE_REASONS)('%s has words, with the gateways where they matter', (reason) => {
    const words = silenceWords(reason, progress())
    expect(words).toMatch(/^\S.*\S$/)
    expect(words.includes('(roof-1, roof-2)')).toBe(reason.startsWith('gateways-'))
  })
})
