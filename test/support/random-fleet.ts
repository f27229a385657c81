import fc from 'fast-check'
import type { DeviceSpec } from './fleet.ts'

const BANDS: Readonly<Record<string, string>> = {
  EU_863_870_TTN: 'EU_863_870',
  US_902_928_FSB_2: 'US_902_928',
  AS_923_925: 'AS_923',
}

const PHY: Readonly<Record<string, string>> = {
  MAC_V1_0_2: 'PHY_V1_0_2_REV_B',
  MAC_V1_0_3: 'PHY_V1_0_3_REV_A',
  MAC_V1_0_4: 'RP002_V1_0_1',
  MAC_V1_1: 'PHY_V1_1_REV_B',
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined })

/** Texts as people write them: umlauts, signs of other scripts, marks that markup or a shell would take. */
const text = fc.oneof(
  fc.constantFrom('Zähler – 3. OG 🚰', '水表 7', 'a|b `c` <d> & $(e)', 'O\'Hara "6"', 'e\u0301'),
  fc.stringMatching(/^[A-Za-z][A-Za-z0-9 .-]{0,30}$/),
)

const adr = fc.constantFrom<object>(
  { static: { data_rate_index: 3, tx_power_index: 2, nb_trans: 1 } },
  { dynamic: { margin: 10 } },
  { dynamic: {} },
  { disabled: {} },
)

const settingsOf = (mode: 'otaa' | 'abp'): fc.Arbitrary<Record<string, unknown>> =>
  fc
    .record({
      adr: maybe(adr),
      rx1_delay: maybe(fc.integer({ min: 1, max: 5 })),
      desired_rx1_delay: maybe(fc.integer({ min: 1, max: 15 })),
      supports_32_bit_f_cnt: maybe(fc.boolean()),
      resets_f_cnt: mode === 'abp' ? maybe(fc.boolean()) : fc.constant(undefined),
      class_b_timeout: maybe(fc.constantFrom('8s', '120s')),
      class_c_timeout: maybe(fc.constantFrom('5s', '300s')),
      status_time_periodicity: maybe(fc.constantFrom('0s', '3600s')),
      status_count_periodicity: maybe(fc.constantFrom(0, 50)),
      desired_max_duty_cycle: maybe(fc.constant('DUTY_CYCLE_16')),
    })
    .map(withoutAbsent)

const withoutAbsent = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T

const nonces = (version: string): fc.Arbitrary<Partial<DeviceSpec>> =>
  version === 'MAC_V1_0_4' || version === 'MAC_V1_1'
    ? fc.record({
        lastDevNonce: fc.integer({ min: 0, max: 60_000 }),
        lastJoinNonce: fc.integer({ min: 0, max: 0xfffff0 }),
        resetsJoinNonces: fc.boolean(),
      })
    : fc.record({
        usedDevNonces: fc.uniqueArray(fc.integer({ min: 1, max: 60_000 }), { maxLength: 9 }),
        lastJoinNonce: fc.integer({ min: 0, max: 0xfffff0 }),
      })

const counter = fc.oneof(fc.constantFrom(0, 1, 65_535, 65_536), fc.integer({ min: 0, max: 200_000 }))

/** One device of a random fleet; `number` makes its EUIs, address and keys. */
const deviceOf = (number: number): fc.Arbitrary<RandomDevice> =>
  fc
    .record({
      mode: fc.constantFrom('otaa' as const, 'abp' as const),
      version: fc.constantFrom('MAC_V1_0_2', 'MAC_V1_0_3', 'MAC_V1_0_4', 'MAC_V1_1'),
      plan: fc.constantFrom('EU_863_870_TTN', 'EU_863_870_TTN', 'US_902_928_FSB_2', 'AS_923_925'),
    })
    .chain(({ mode, version, plan }) =>
      fc
        .record({
          settings: settingsOf(mode),
          joins: nonces(version),
          name: maybe(text),
          attributes: maybe(
            fc.dictionary(fc.stringMatching(/^[a-z0-9]{3,8}$/), text, { maxKeys: 3, noNullPrototype: true }),
          ),
          description: maybe(text),
          located: fc.boolean(),
          model: fc.boolean(),
          addresses: fc.boolean(),
          fCntUp: mode === 'abp' ? counter : maybe(counter),
          nFCntDown: counter,
          aFCntDown: counter,
          nwkKey: mode === 'otaa' && version !== 'MAC_V1_1' ? fc.boolean() : fc.constant(false),
          rootKeyId: mode === 'otaa' ? maybe(fc.constant('made-up-id')) : fc.constant(undefined),
          classB: fc.boolean(),
          classC: fc.boolean(),
          status: fc.boolean(),
          formatter: maybe(fc.constant('function decodeUplink(input) { return { data: {} } }')),
          skips: maybe(fc.boolean()),
          muted: fc.constantFrom(false, false, false, true),
          queued: fc.constantFrom(0, 0, 1, 3),
        })
        .map(
          ({
            settings,
            joins,
            description,
            located,
            model,
            addresses,
            status,
            skips,
            muted,
            queued,
            ...rest
          }) =>
            withoutAbsent({
              id: `device-${number}`,
              number,
              mode,
              version,
              phy: PHY[version] ?? '',
              plan,
              ...rest,
              ...(rest.fCntUp !== undefined && settings['supports_32_bit_f_cnt'] === false
                ? { fCntUp: rest.fCntUp % 65_000 }
                : {}),
              ...(mode === 'otaa' ? joins : {}),
              macSettings: {
                ...settings,
                ...(muted ? { schedule_downlinks: false } : {}),
                ...(rest.classB ? { ping_slot_periodicity: 'PING_EVERY_4S' } : {}),
              },
              identity: withoutAbsent({
                description,
                ...(located
                  ? { locations: { user: { latitude: 47.5, longitude: -8.25, source: 'SOURCE_REGISTRY' } } }
                  : {}),
                ...(model
                  ? { version_ids: { brand_id: 'made-up', model_id: 'model-1', band_id: BANDS[plan] } }
                  : {}),
                ...(addresses
                  ? { network_server_address: '127.0.0.1', application_server_address: '127.0.0.1' }
                  : {}),
              }),
              network: status
                ? {
                    battery_percentage: 0.5,
                    downlink_margin: 7,
                    last_dev_status_received_at: '2026-01-02T03:04:05Z',
                  }
                : {},
              more: skips === undefined ? {} : { skip_payload_crypto_override: skips },
              // One of class B or C would be sent them at once, and an application that encrypts pushes no plain ones.
              queued:
                rest.classB || rest.classC || skips === true || (mode === 'otaa' && rest.fCntUp === undefined)
                  ? 0
                  : queued,
            }) as RandomDevice,
        ),
    )

/** A device with so many downlinks that wait on the source. */
export interface RandomDevice extends DeviceSpec {
  readonly queued: number
}

/** Up to `size` devices of every kind that crosses. */
export const fleetOf = (size: number): fc.Arbitrary<readonly RandomDevice[]> =>
  fc
    .integer({ min: 1, max: size })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => deviceOf(index + 1))))

export interface RandomPolicy {
  readonly persistSession: boolean
  readonly resetFrameCounters: boolean
  readonly rx1Delay: 'keep' | 'target' | number
  readonly deleteSource: 'never' | 'after-import' | 'after-heard'
  readonly preventRejoin: 'replace-root-keys' | 'none'
  readonly handover: 'stop-first' | 'delete-first'
  readonly rootKeys: 'keep' | 'generate'
  readonly abp: 'keep' | 'reprogram' | 'to-otaa'
  readonly rejoin: { readonly trigger: 'none' | 'manual' } | typeof TRIGGER
  readonly queuedDownlinks: 'report' | 'copy' | 'wait-empty'
  readonly mutedSource: 'blocked' | 'carry' | 'unmute'
  readonly downlinkCounterMargin: 'auto' | number
}

const TRIGGER = { trigger: 'source-downlink', fPort: 42, payload: 'FF', confirmed: false } as const

/** What the plan's own rules refuse is made what they ask for. */
const allowed = (chosen: RandomPolicy): RandomPolicy => {
  const isDeleteFirst = chosen.handover === 'delete-first'
  const reprograms = chosen.rootKeys === 'generate' || chosen.abp !== 'keep'
  const deleteSource =
    reprograms && !isDeleteFirst && chosen.deleteSource === 'after-import'
      ? 'after-heard'
      : chosen.deleteSource
  const nobodySends = isDeleteFirst || deleteSource === 'after-import' || chosen.preventRejoin === 'none'
  return {
    ...chosen,
    deleteSource,
    ...(isDeleteFirst && chosen.queuedDownlinks === 'copy' ? { queuedDownlinks: 'wait-empty' } : {}),
    ...(chosen.abp === 'keep' ? {} : { resetFrameCounters: false }),
    ...(nobodySends && chosen.rejoin.trigger === 'source-downlink' ? { rejoin: { trigger: 'none' } } : {}),
  }
}

export const policy: fc.Arbitrary<RandomPolicy> = fc
  .record<RandomPolicy>({
    persistSession: fc.boolean(),
    resetFrameCounters: fc.constantFrom(false, false, true),
    rx1Delay: fc.oneof(fc.constantFrom('keep' as const, 'target' as const), fc.integer({ min: 1, max: 15 })),
    deleteSource: fc.constantFrom('never', 'after-import', 'after-heard'),
    preventRejoin: fc.constantFrom('replace-root-keys', 'replace-root-keys', 'none'),
    handover: fc.constantFrom('stop-first', 'stop-first', 'delete-first'),
    rootKeys: fc.constantFrom('keep', 'keep', 'keep', 'generate'),
    abp: fc.constantFrom('keep', 'keep', 'reprogram', 'to-otaa'),
    rejoin: fc.constantFrom({ trigger: 'none' } as const, { trigger: 'manual' } as const, TRIGGER),
    queuedDownlinks: fc.constantFrom('report', 'copy', 'wait-empty'),
    mutedSource: fc.constantFrom('blocked', 'carry', 'unmute'),
    downlinkCounterMargin: fc.oneof(fc.constant('auto' as const), fc.constantFrom(0, 1, 32, 16_384)),
  })
  .map(allowed)
