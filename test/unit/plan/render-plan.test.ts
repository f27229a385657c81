import { describe, expect, it } from 'vitest'
import { type PlanAnswers, renderPlan } from '../../../src/plan/render-plan.ts'
import { parse, planOf } from './support.ts'

const answers: PlanAnswers = {
  name: 'building-a',
  source: {
    url: 'https://eu1.cloud.thethings.network',
    application: 'building-a',
    apiKey: { env: 'SOURCE_API_KEY' },
  },
  target: {
    url: 'https://example.eu1.cloud.thethings.industries',
    application: 'building-a',
    apiKey: { env: 'TARGET_API_KEY' },
  },
  persistSession: false,
}

const everything: PlanAnswers = {
  name: '007',
  source: {
    url: 'http://127.0.0.1:1885',
    application: '1e3',
    apiKey: { file: '/run/secrets/a "quoted" key' },
    insecure: true,
    servers: { identity: 'http://[::1]:1886' },
  },
  target: {
    url: 'https://lorawan.example.com:8885',
    application: 'true',
    apiKey: { env: '_KEY' },
    caFile: 'ca #1.pem',
  },
  persistSession: true,
  policy: {
    rx1Delay: 5,
    deleteSource: 'after-heard',
    resetFrameCounters: false,
    handover: 'stop-first',
    preventRejoin: 'none',
    rejoin: { trigger: 'none' },
    rootKeys: 'keep',
    abp: 'keep',
    queuedDownlinks: 'copy',
    mutedSource: 'carry',
    downlinkCounterMargin: 64,
    adopt: 'partial',
  },
  gateways: 'on-target',
  ids: ['null', '1e3', '70e5000000000001', 'meter-7', '123', 'yes'],
  match: 'meter-*',
  recipients: ['age1wqmhyn3wtv37z5mjnu95a3g0cqz4x0qrnjvzrq2mj2dvm6dx3uastgf4ke'],
  schema: '../schemas/migration-plan.v1.json',
}

describe('a plan that is written', () => {
  it('is right, and says to editors where the schema is', () => {
    const text = renderPlan({ ...answers, schema: 'schemas/plan.json' })
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=schemas/plan.json')
    expect(renderPlan(answers)).not.toContain('$schema')
    expect(parse(text)).toMatchObject({ ok: true })
    expect(planOf(text).plan).toMatchObject({ name: 'building-a', policy: { persistSession: false } })
  })

  it('quotes what YAML would read otherwise', () => {
    const text = renderPlan(everything)
    expect(parse(text).diagnostics).toEqual([])
    expect(planOf(text).plan).toMatchObject({
      name: '007',
      source: { application: '1e3', apiKey: { file: '/run/secrets/a "quoted" key' }, insecure: true },
      target: { application: 'true', caFile: '/migrations/plans/ca #1.pem' },
      devices: { include: [{ ids: everything.ids }, { match: 'meter-*' }] },
      policy: everything.policy,
      escrow: { recipients: everything.recipients },
    })
  })

  it('says delete-first within one deployment, where no other order works', () => {
    const text = renderPlan({
      ...answers,
      target: {
        url: 'https://eu1.cloud.thethings.network',
        application: 'building-b',
        apiKey: { env: 'SOURCE_API_KEY' },
      },
      policy: { deleteSource: 'after-heard' },
    })
    expect(parse(text).diagnostics.map(({ code }) => code)).toEqual(['JoinNeeded', 'DeleteFirst'])
    expect(planOf(text).plan.policy).toMatchObject({ handover: 'delete-first', deleteSource: 'never' })
  })

  it('writes a file as source, with the columns and defaults that it has', () => {
    const columns = { devEui: 'Dev EUI', appKey: 'App: "Key"', attributes: { floor: 'Floor' } }
    const defaults = { frequencyPlan: 'EU_863_870_TTN', lorawanVersion: '1.0.3' }
    const text = renderPlan({ ...answers, source: { file: 'lists/meters 7.csv', columns, defaults } })
    expect(parse(text).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
    expect(planOf(text).plan.source).toMatchObject({
      network: 'file',
      name: 'lists/meters 7.csv',
      format: 'csv',
      columns,
      defaults: { ...defaults, lorawanVersion: 'MAC_V1_0_3' },
    })
  })

  it('writes a downlink that makes devices join', () => {
    const rejoin = { trigger: 'source-downlink', fPort: 10, payload: '0102', confirmed: true } as const
    expect(planOf(renderPlan({ ...answers, policy: { rejoin } })).plan.policy.rejoin).toEqual(rejoin)
  })

  it('holds the comments that a first reader needs', () => {
    expect(renderPlan(answers)).toMatchSnapshot()
  })
})
