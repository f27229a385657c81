import { describe, expect } from 'vitest'
import type { DeviceSpec } from '../support/fleet.ts'
import { applied, type Stage, scenario } from '../support/scenario.ts'
import { call, type TestNetwork } from '../support/stack-api.ts'

const FLEET: readonly DeviceSpec[] = [{ id: 'meter-1', number: 1, mode: 'otaa', fCntUp: 100, nFCntDown: 5 }]
const PLAN = `policy: { persistSession: true }
application: { formatters: carry, attributes: carry, webhooks: carry }`
const ALL_AROUND = 'policy: { persistSession: true }\napplication: { pubSubs: carry, collaborators: carry }'

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
    promise: 'as pub/sub and collaborators goes as far as the target takes it, and keeps no device back',
    fleet: FLEET,
    plan: ALL_AROUND,
    before: async ({ source }) => {
      const { application } = source
      for (const [id, provider] of Object.entries({
        plain: { nats: { server_url: 'nats://nats.example.org' } },
        secret: { nats: { server_url: `nats://meters:${PASSWORD}@nats.example.org` } },
      }))
        await call(source, 'POST', `/as/pubsub/${application}`, {
          pubsub: {
            ids: { application_ids: { application_id: application }, pub_sub_id: id },
            format: 'json',
            ...provider,
          },
          field_mask: { paths: ['format', 'provider'] },
        })
      await call(source, 'PUT', `/applications/${application}/collaborators`, {
        collaborator: {
          ids: { user_ids: { user_id: 'operator' } },
          rights: ['RIGHT_APPLICATION_INFO'],
        },
      })
    },
    ends: async (stage, planned) => {
      expect(planned.application).toMatchObject([
        { part: 'pub-sub', id: 'plain', action: 'write', names: ['format', 'nats'] },
        { part: 'pub-sub', id: 'secret', action: 'left', left: ['nats.server_url user and password'] },
        { part: 'collaborator', id: 'user admin', action: 'same' },
        { part: 'collaborator', id: 'user operator', action: 'write', names: ['RIGHT_APPLICATION_INFO'] },
      ])
      await call(stage.target, 'POST', '/simulator/v1/faults', {
        faults: [
          {
            path: '/collaborators$',
            method: 'PUT',
            times: 1,
            do: { status: 404, body: { code: 5, message: 'user not found', details: [] } },
          },
        ],
      })
      const first = await applied(stage, { waiting: 1 })
      expect(first.around).toMatchObject([{ part: 'collaborator', id: 'user operator' }])
      expect(first.around).toHaveLength(1)
      const { pubsubs } = await call(
        stage.target,
        'GET',
        `/as/pubsub/${stage.target.application}?field_mask=format,provider`,
      )
      expect(pubsubs).toMatchObject([
        { ids: { pub_sub_id: 'plain' }, nats: { server_url: 'nats://nats.example.org' } },
      ])
      const second = await applied(stage, { waiting: 1 })
      expect(second.around).toBeUndefined()
      const actions = (await stage.plan()).changeSet.application?.map(({ action }) => action)
      expect(actions).toEqual(['same', 'left', 'same', 'same'])
      expect(JSON.stringify([planned, first.around, await stage.stateText()])).not.toContain(PASSWORD)
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
