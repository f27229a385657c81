import { describe, expect, it } from 'vitest'
import type { Route } from '../../../src/domain/journal.ts'
import type { Rx1DelayPolicy } from '../../../src/domain/migration-plan.ts'
import { desiredRecord } from '../../../src/engine/device/desired.ts'
import { abp, DEFAULTS, device, intent, NS } from './support.ts'

const source = (route: Route, asked: number, setting?: number) =>
  (route.startsWith('abp') ? abp : device)({
    [NS]: {
      mac_state: { current_parameters: { rx1_delay: 1 }, desired_parameters: { rx1_delay: asked } },
      'mac_settings.rx1_delay': 1,
      ...(setting === undefined ? {} : { 'mac_settings.desired_rx1_delay': setting }),
    },
  })

/** Policy, route, what the source asks for, its own setting, whether it obeys; then the setting and what is asked. */
type Row = readonly [
  Rx1DelayPolicy,
  Route,
  number,
  number | undefined,
  boolean,
  number | undefined,
  number | undefined,
]

const TABLE: readonly Row[] = [
  ['keep', 'session-kept', 2, undefined, false, undefined, 2],
  ['keep', 'session-kept', 2, 2, false, 2, 2],
  ['keep', 'abp-kept', 1, undefined, false, undefined, 1],
  ['keep', 'joining-anew', 2, undefined, false, 2, undefined],
  ['keep', 'joining-anew', 2, 3, false, 3, undefined],
  ['keep', 'joining-anew', 5, undefined, false, undefined, undefined],
  ['keep', 'abp-reset', 1, undefined, false, 1, undefined],
  ['target', 'session-kept', 2, 2, false, undefined, 5],
  ['target', 'joining-anew', 2, 2, false, undefined, undefined],
  ['target', 'abp-kept', 1, 1, false, 1, 1],
  ['target', 'abp-kept', 1, 1, true, undefined, 5],
  [7, 'session-kept', 2, 2, false, 7, 7],
  [7, 'joining-anew', 2, undefined, false, 7, undefined],
  [7, 'abp-kept', 1, 1, true, 7, 7],
  [7, 'abp-reset', 1, 1, true, 7, undefined],
]

describe('the RX1 delay', () => {
  it.each(TABLE)(
    '%s, %s, the source asks for %s s by %s, obeys: %s',
    (policy, route, asked, setting, obeys, wantedSetting, wantedState) => {
      const { record, findings } = desiredRecord(
        source(route, asked, setting),
        route,
        intent({ rx1Delay: policy }, obeys ? { obeysRxTimingSetup: true } : {}),
        DEFAULTS,
      )
      const held = record.registries[NS] ?? {}
      expect(held['mac_settings.desired_rx1_delay']).toBe(wantedSetting)
      // The delay in use is the device's: it never changes here.
      expect(held['mac_settings.rx1_delay']).toBe(1)
      const state = held['mac_state'] as { [name: string]: { rx1_delay: number } } | undefined
      expect(state?.['desired_parameters']?.rx1_delay).toBe(wantedState)
      expect(state?.['current_parameters']?.rx1_delay).toBe(wantedState === undefined ? undefined : 1)
      expect(findings).toEqual([])
    },
  )

  it.each(['abp-kept', 'abp-reset'] as const)(
    'as a number is refused for %s that is not known to obey',
    (route) => {
      const { findings } = desiredRecord(source(route, 1), route, intent({ rx1Delay: 7 }), DEFAULTS)
      expect(findings).toMatchObject([{ code: 'Rx1DelayNeedsObedience', severity: 'error' }])
    },
  )
})
