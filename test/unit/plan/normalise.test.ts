import { describe, expect, it } from 'vitest'
import { parsePlan } from '../../../src/plan/parse-plan.ts'
import { planOf, planText, SOURCE } from './support.ts'

describe('a plan, normalised', () => {
  it('has every default, from the schema', () => {
    expect(planOf(planText({ policy: 'policy: { persistSession: false }', rest: '' })).plan).toEqual({
      name: 'building-a',
      source: {
        network: 'things-stack',
        url: 'https://eu1.cloud.thethings.network',
        servers: {},
        application: 'building-a',
        apiKey: { env: 'SOURCE_API_KEY' },
        insecure: false,
      },
      target: {
        network: 'things-stack',
        url: 'https://example.eu1.cloud.thethings.industries',
        servers: {},
        application: 'building-a',
        apiKey: { env: 'TARGET_API_KEY' },
        insecure: false,
      },
      devices: { include: [{ all: true }], exclude: [], overrides: [] },
      policy: {
        persistSession: false,
        resetFrameCounters: false,
        rx1Delay: 'keep',
        deleteSource: 'never',
        handover: 'stop-first',
        preventRejoin: 'replace-root-keys',
        rejoin: { trigger: 'none' },
        rootKeys: 'keep',
        abp: 'keep',
        queuedDownlinks: 'report',
        mutedSource: 'blocked',
        downlinkCounterMargin: 'auto',
        adopt: 'none',
      },
      coverage: { gateways: 'unknown' },
      rollout: { maxConcurrency: 128, canary: 0, maxFailures: { share: 0.05 } },
      verify: { heardWithin: 86_400_000, retireAfter: 604_800_000 },
      escrow: { recipients: [], path: '/migrations/plans/building-a.escrow' },
      state: { file: '/migrations/plans/building-a.state.jsonl' },
    })
  })

  it('has addresses as origins, paths absolute, versions as The Things Stack prints them', () => {
    const { plan } = planOf(
      planText({
        source: `source:
  network: things-stack
  url: HTTPS://LoRaWAN.Example.com:443/
  servers: { join: "https://JOIN.example.com/" }
  application: building-a
  apiKey: { file: ../keys/source }
  caFile: /etc/ca.pem`,
        devices: `devices:
  include: [{ all: true }]
  overrides:
    - match: "a*"
      set: { lorawanVersion: "1.0", lorawanPhyVersion: TS001_V1_0, name: Zähler 7 }`,
        rest: `coverage: { gateways: on-target }
rollout: { maxFailures: 10 }
verify: { heardWithin: 1d2h3m4s }
digestKey: { file: digest.key }`,
      }),
    )
    expect(plan.source).toMatchObject({
      url: 'https://lorawan.example.com',
      servers: { join: 'https://join.example.com' },
      apiKey: { file: '/migrations/keys/source' },
      caFile: '/etc/ca.pem',
    })
    expect(plan.devices.overrides).toEqual([
      {
        select: { match: 'a*' },
        policy: {},
        set: { lorawanVersion: 'MAC_V1_0', lorawanPhyVersion: 'PHY_V1_0', name: 'Zähler 7' },
      },
    ])
    expect(plan.rollout.maxFailures).toEqual({ count: 10 })
    expect(plan.verify.heardWithin).toBe(((24 + 2) * 60 + 3) * 60_000 + 4000)
    expect(plan.digestKey).toEqual({ file: '/migrations/plans/digest.key' })
  })

  it('has EUIs and payloads in upper case, and a downlink with its defaults', () => {
    const { plan } = planOf(
      planText({
        policy:
          'policy: { persistSession: false, rejoin: { trigger: source-downlink, fPort: 10, payload: 0e1f } }',
        devices: `devices:
  include: [{ all: true }]
  overrides:
    - ids: [meter-7]
      policy: { rejoin: { trigger: source-downlink, fPort: 223 }, downlinkCounterMargin: 16384 }
      set: { devEui: 70e5000000000001, joinEui: 0000000000000000 }
    - match: "a*"
      policy: { rejoin: { trigger: manual }, handover: delete-first }`,
      }),
    )
    expect(plan.policy.rejoin).toEqual({
      trigger: 'source-downlink',
      fPort: 10,
      payload: '0E1F',
      confirmed: false,
    })
    expect(plan.devices.overrides).toEqual([
      {
        select: { ids: ['meter-7'] },
        policy: {
          rejoin: { trigger: 'source-downlink', fPort: 223, payload: '', confirmed: false },
          downlinkCounterMargin: 16384,
        },
        set: { devEui: '70E5000000000001', joinEui: '0000000000000000' },
      },
      {
        select: { match: 'a*' },
        policy: { rejoin: { trigger: 'manual' }, handover: 'delete-first' },
        set: {},
      },
    ])
  })

  it('takes ids and names as they are written', () => {
    const { plan } = planOf(
      planText({
        source: SOURCE.replace('building-a', '1e3'),
        devices:
          'devices: { include: [{ ids: [007, 70e5000000000001, 1e3, null], attributes: { floor: 03, 007: 0x1 } }] }',
      }),
    )
    expect(plan.source).toMatchObject({ application: '1e3' })
    expect(plan.devices.include).toEqual([
      { ids: ['007', '70e5000000000001', '1e3', 'null'], attributes: { floor: '03', '007': '0x1' } },
    ])
  })
})

describe('the digest of a plan', () => {
  const digest = (text: string, idsFiles = {}): string => planOf(text, idsFiles).digest

  it('is that of its meaning: comments, order, spelling and written defaults do not count', () => {
    const text = planText({
      rest: 'coverage: { gateways: on-target }\nrollout: { canary: 0 }\nstate: building-a.state.jsonl # here',
    })
    expect(digest(text)).toBe(digest(planText()))
    expect(digest(planText({ metadata: '# named\nmetadata:\n  name: "building-a"' }))).toBe(
      digest(planText()),
    )
  })

  const EVERY_DEFAULT = `policy:
  persistSession: true
  deleteSource: after-heard
  resetFrameCounters: false
  rx1Delay: keep
  handover: stop-first
  preventRejoin: replace-root-keys
  rejoin: { trigger: none }
  rootKeys: keep
  abp: keep
  queuedDownlinks: report
  mutedSource: blocked
  downlinkCounterMargin: auto
  adopt: none`

  it('is the same with every default of the policy written out', () => {
    expect(digest(planText({ policy: EVERY_DEFAULT }))).toBe(digest(planText()))
  })

  it('is the same with the defaults of a downlink written out, in whatever case', () => {
    const of = (rejoin: string) =>
      digest(
        planText({
          policy: `policy: { persistSession: false, rejoin: ${rejoin} }`,
          devices: `devices:
  include: [{ all: true }]
  overrides: [{ match: "a*", policy: { rejoin: ${rejoin.replace('10', '11')} } }]`,
        }),
      )
    expect(of('{ trigger: source-downlink, fPort: 10, payload: "", confirmed: false }')).toBe(
      of('{ trigger: source-downlink, fPort: 10 }'),
    )
    expect(of('{ trigger: source-downlink, fPort: 10, payload: "ab" }')).toBe(
      of('{ trigger: source-downlink, fPort: 10, payload: "AB" }'),
    )
  })

  it.each([
    ['deleteSource: after-heard', 'deleteSource: after-import'],
    ['resetFrameCounters: false', 'resetFrameCounters: true'],
    ['rx1Delay: keep', 'rx1Delay: 5'],
    ['handover: stop-first', 'handover: delete-first'],
    ['preventRejoin: replace-root-keys', 'preventRejoin: none'],
    ['trigger: none', 'trigger: manual'],
    ['rootKeys: keep', 'rootKeys: generate'],
    ['abp: keep', 'abp: reprogram'],
    ['queuedDownlinks: report', 'queuedDownlinks: copy'],
    ['mutedSource: blocked', 'mutedSource: carry'],
    ['downlinkCounterMargin: auto', 'downlinkCounterMargin: 0'],
    ['adopt: none', 'adopt: partial'],
  ])('changes from %s to %s', (from, to) => {
    expect(digest(planText({ policy: EVERY_DEFAULT.replace(from, to) }))).not.toBe(digest(planText()))
  })

  it.each(['devEui', 'joinEui'])('changes with %s', (field) => {
    const of = (eui: string) =>
      digest(
        planText({
          devices: `devices: { include: [{ all: true }], overrides: [{ ids: [meter-7], set: { ${field}: "${eui}" } }] }`,
        }),
      )
    expect(of('70B3D57ED0000001')).toBe(of('70b3d57ed0000001'))
    expect(of('70B3D57ED0000001')).not.toBe(of('70B3D57ED0000002'))
  })

  it('changes with what the plan wants', () => {
    const texts = [
      planText(),
      planText({ metadata: 'metadata: { name: building-b }' }),
      planText({ policy: 'policy: { persistSession: true, deleteSource: after-import }' }),
      planText({ devices: 'devices: { include: [{ match: "a*" }] }' }),
      planText({ source: SOURCE.replace('SOURCE_API_KEY', 'OTHER_API_KEY') }),
      planText({ rest: 'coverage: { gateways: on-target }\nstate: other.jsonl' }),
    ]
    expect(new Set(texts.map((text) => digest(text))).size).toBe(texts.length)
  })

  it('holds the ids of id files, not their paths', () => {
    const of = (name: string) => planText({ devices: `devices: { include: [{ idsFile: ${name} }] }` })
    const first = digest(of('a.txt'), { 'a.txt': 'meter-1\nmeter-2\n' })
    expect(digest(of('b.txt'), { 'b.txt': 'meter-2\n\nmeter-1' })).toBe(first)
    expect(digest(of('a.txt'), { 'a.txt': 'meter-1\n' })).not.toBe(first)
  })

  it('is the same wherever the plan lies', () => {
    const text = planText({ source: SOURCE.replace('{ env: SOURCE_API_KEY }', '{ file: keys/source }') })
    const at = (folder: string, file: string) => {
      const result = parsePlan(text, { file, folder })
      return result.ok ? result.value.digest : undefined
    }
    expect(at('/a/b', 'plan.yaml')).toBe(at('/home/ci/work', '../work/plan.yaml'))
    expect(at('/a/b', 'plan.yaml')).toMatch(/^sha256:[0-9a-f]{64}$/)
  })
})
