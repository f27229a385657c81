import { describe, expect } from 'vitest'
import type { DeviceSpec } from '../support/fleet.ts'
import { applied, type Stage, scenario } from '../support/scenario.ts'
import { call, type TestNetwork } from '../support/stack-api.ts'

const FLEET: readonly DeviceSpec[] = [{ id: 'meter-1', number: 1, mode: 'otaa', fCntUp: 100, nFCntDown: 5 }]
const PLAN = `policy: { persistSession: true }
application: { formatters: carry, attributes: carry, webhooks: carry }`

/** Plainly made up, and never to be seen anywhere but where it was entered. */
const PASSWORD = 'a-made-up-password'

const hook = async ({ application, ...network }: TestNetwork, id: string, fields: object): Promise<void> => {
  await call({ ...network, application }, 'POST', `/as/webhooks/${application}`, {
    webhook: { ids: { application_ids: { application_id: application }, webhook_id: id }, ...fields },
    field_mask: { paths: Object.keys(fields) },
  })
}

const describeApplication = (network: TestNetwork, fields: object): Promise<unknown> =>
  call(network, 'PUT', `/applications/${network.application}`, {
    application: { ids: { application_id: network.application }, ...fields },
    field_mask: { paths: Object.keys(fields) },
  })

const setFormatter = (network: TestNetwork, script: string): Promise<unknown> =>
  call(network, 'PUT', `/as/applications/${network.application}/link`, {
    link: {
      default_formatters: { up_formatter: 'FORMATTER_JAVASCRIPT', up_formatter_parameter: script },
    },
    field_mask: { paths: ['default_formatters'] },
  })

const ERP = {
  base_url: `https://erp:${PASSWORD}@erp.example.org/lorawan?token=${PASSWORD}`,
  format: 'json',
  headers: { Authorization: `Bearer ${PASSWORD}` },
  uplink_message: { path: '/up' },
  join_accept: {},
}

const webhooksOf = async ({ target }: Stage): Promise<readonly Record<string, unknown>[]> => {
  const mask = 'base_url,format,headers,paused,uplink_message,join_accept'
  const { webhooks = [] } = await call(target, 'GET', `/as/webhooks/${target.application}?field_mask=${mask}`)
  return webhooks as readonly Record<string, unknown>[]
}

describe('what is around the devices', () => {
  scenario({
    promise: 'goes with them where the target has none of it, without anything secret',
    golden: 'application',
    fleet: FLEET,
    plan: PLAN,
    before: async ({ source, target }) => {
      await describeApplication(source, {
        name: 'Meters of building A',
        description: 'All meters',
        attributes: { site: 'depot', owner: 'energy' },
      })
      await describeApplication(target, { attributes: { owner: 'somebody-else' } })
      await setFormatter(source, 'function decodeUplink() { return { data: {} } }')
      await hook(source, 'erp', ERP)
      await hook(source, 'plain', {
        base_url: 'https://plain.example.org',
        format: 'json',
        uplink_message: {},
      })
      await hook(source, 'other', { base_url: 'https://a.example.org', format: 'json' })
      await hook(target, 'other', { base_url: 'https://b.example.org', format: 'json' })
    },
    ends: async (stage, planned) => {
      expect(planned.application).toMatchObject([
        { part: 'name', action: 'write' },
        { part: 'description', action: 'write' },
        { part: 'attributes', action: 'write', names: ['site'] },
        {
          part: 'webhook',
          id: 'erp',
          action: 'write',
          left: ['base_url user and password', 'base_url query', 'headers.Authorization'],
        },
        { part: 'webhook', id: 'other', action: 'differs', left: [] },
        { part: 'webhook', id: 'plain', action: 'write', left: [] },
      ])
      await applied(stage, { waiting: 1 })
      expect(
        await call(
          stage.target,
          'GET',
          `/applications/${stage.target.application}?field_mask=name,attributes`,
        ),
      ).toMatchObject({
        name: 'Meters of building A',
        attributes: { site: 'depot', owner: 'somebody-else' },
      })
      const [erp, other, plain] = await webhooksOf(stage)
      expect(erp).toMatchObject({
        base_url: 'https://erp.example.org/lorawan',
        format: 'json',
        paused: true,
        uplink_message: { path: '/up' },
        join_accept: {},
      })
      expect(erp).not.toHaveProperty('headers')
      expect(other).toMatchObject({ base_url: 'https://b.example.org' })
      expect(plain).toMatchObject({ base_url: 'https://plain.example.org', uplink_message: {} })
      expect(plain).not.toHaveProperty('paused')
      const link = await call(
        stage.target,
        'GET',
        '/as/applications/meters/link?field_mask=default_formatters',
      )
      expect(link).toMatchObject({ default_formatters: { up_formatter: 'FORMATTER_JAVASCRIPT' } })

      const again = await stage.plan()
      expect(again.changeSet.formatters).toBeUndefined()
      expect(again.changeSet.application?.map(({ action }) => action)).toEqual([
        'same',
        'same',
        'differs',
        'same',
        'differs',
        'same',
      ])
      const shown = [JSON.stringify(planned), await stage.stateText(), JSON.stringify(stage.events)].join()
      expect(shown).not.toContain(PASSWORD)
    },
  })

  scenario({
    promise: 'stays where it is when the plan says nothing of it',
    fleet: FLEET,
    plan: 'policy: { persistSession: true }',
    before: async ({ source }) => {
      await describeApplication(source, { name: 'Meters of building A' })
      await hook(source, 'erp', ERP)
    },
    ends: async (stage, planned) => {
      expect(planned.application).toBeUndefined()
      await applied(stage, { waiting: 1 })
      expect(await webhooksOf(stage)).toEqual([])
    },
  })
})
