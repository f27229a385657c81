import { expect } from 'vitest'
import {
  antennaOf,
  type RunningSimulator,
  radioOf,
  type SampleDevice,
  type Send,
} from '../../src/simulator/index.ts'
import { sampleDevices } from '../../src/simulator/sample/devices.ts'

export type Body = Readonly<Record<string, unknown>>

/** The sample device with this id. */
export const sample = (id: string): SampleDevice => {
  const found = sampleDevices.find((device) => device.id === id)
  if (found === undefined) throw new Error(`no sample device ${id}`)
  return found
}

/** A sample device's session. */
export const sessionOf = (id: string): NonNullable<SampleDevice['session']> => {
  const { session } = sample(id)
  if (session === undefined) throw new Error(`${id} has no session`)
  return session
}

export interface Item {
  readonly f_port: number
  readonly f_cnt: number
  readonly frm_payload?: string
  readonly correlation_ids: readonly string[]
  readonly confirmed_retry?: Body
}

/** A client of one of the local networks, with the calls that these tests make. */
export const clientOf = (simulator: RunningSimulator, index: 0 | 1 = 0) => {
  const network = simulator.networks[index]
  const ask = async (
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly body: Body }> => {
    const base = path.startsWith('/applications') ? (network.identityUrl ?? network.url) : network.url
    const response = await fetch(`${base}/api/v3${path}`, {
      method,
      headers: { authorization: `Bearer ${network.apiKey}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: (await response.json()) as Body }
  }
  const call = async (method: string, path: string, body?: unknown): Promise<Body> => {
    const answer = await ask(method, path, body)
    expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBe(200)
    return answer.body
  }
  const device = (registry: string, id: string, application = 'building-a'): string =>
    `${registry === 'is' ? '' : `/${registry}`}/applications/${application}/devices/${id}`
  const set = (registry: 'ns' | 'js' | 'as', id: string, end_device: Body, ...paths: readonly string[]) =>
    call('PUT', device(registry, id), { end_device, field_mask: { paths } })
  return {
    ask,
    call,
    set,
    read: (registry: 'is' | 'ns' | 'js' | 'as', id: string, mask: string) =>
      call('GET', `${device(registry, id)}?field_mask=${mask}`),
    mute: (id: string) =>
      set('ns', id, { mac_settings: { schedule_downlinks: false } }, 'mac_settings.schedule_downlinks'),
    unmute: (id: string) => set('ns', id, {}, 'mac_settings.schedule_downlinks'),
    push: (id: string, ...downlinks: readonly Body[]) =>
      call('POST', `${device('as', id)}/down/push`, { downlinks }),
    replace: (id: string, ...downlinks: readonly Body[]) =>
      call('POST', `${device('as', id)}/down/replace`, { downlinks }),
    queue: async (id: string): Promise<readonly Item[]> => {
      const { downlinks = [] } = await call('GET', `${device('as', id)}/down`)
      return downlinks as readonly Item[]
    },
    send: (): Send => radioOf(network),
    antenna: antennaOf(network),
  }
}

export type Client = ReturnType<typeof clientOf>
