import { request } from 'undici'
import { type DeviceSpec, keysOf } from './fleet.ts'
import type { Store, TestNetwork } from './stack-api.ts'

type Tree = Record<string, unknown>

/** Calls the handler of a simulated Stack V2 as its own tools would. Throws for anything but 200. */
export const callV2 = async (
  network: TestNetwork,
  method: 'GET' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<Tree> => {
  const answer = await request(`${network.url}/applications/${network.application}${path}`, {
    method,
    headers: { authorization: `Key ${network.apiKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.body.text()
  if (answer.statusCode !== 200) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`)
  return JSON.parse(text) as Tree
}

/** A device of a fleet as V2 keeps it: `f_cnt_down` is the next one to use. */
export const registerV2 = async (network: TestNetwork, spec: DeviceSpec): Promise<void> => {
  const keys = keysOf(spec)
  const hasSession = spec.mode !== 'otaa' || spec.fCntUp !== undefined
  const is32 = spec.macSettings?.['supports_32_bit_f_cnt'] !== false
  const { application } = network
  await callV2(network, 'PUT', `/devices/${spec.id}`, {
    app_id: application,
    dev_id: spec.id,
    ...(spec.attributes === undefined ? {} : { attributes: spec.attributes }),
    ...spec.identity,
    lorawan_device: {
      app_id: application,
      dev_id: spec.id,
      app_eui: keys.joinEui,
      dev_eui: keys.devEui,
      ...(spec.mode === 'otaa' ? { app_key: keys.appKey } : {}),
      ...(hasSession
        ? {
            dev_addr: keys.devAddr,
            nwk_s_key: keys.fNwkSIntKey,
            app_s_key: keys.appSKey,
            f_cnt_up: spec.fCntUp ?? 0,
            f_cnt_down: spec.nFCntDown === undefined ? 0 : spec.nFCntDown + 1,
          }
        : {}),
      uses32_bit_f_cnt: is32,
    },
  })
}

/** What a V2 holds, by the registries that would hold it, so that the same promises can be asked of both networks. */
export const storeOfV2 = async (network: TestNetwork): Promise<Store> => {
  const answer = await request(`${network.url}/simulator/v1/store`)
  const { devices } = (await answer.body.json()) as {
    readonly devices: Readonly<Record<string, Tree & { readonly lorawan_device: Tree }>>
  }
  const store: { -readonly [K in keyof Store]: Store[K] } = {
    identityServer: {},
    joinServer: {},
    networkServer: {},
    applicationServer: {},
  }
  for (const [key, { lorawan_device, is_known: _known, ...outer }] of Object.entries(devices)) {
    const {
      app_eui,
      dev_eui,
      app_key,
      dev_addr,
      nwk_s_key,
      app_s_key,
      last_seen: _seen,
      ...rest
    } = lorawan_device
    const ids = { device_id: key.split('/')[1], join_eui: app_eui, dev_eui }
    store.identityServer[key] = { ids, ...outer }
    if (app_key !== '') store.joinServer[key] = { ids, root_keys: { app_key: { key: app_key } } }
    const isServed = app_key !== '' || nwk_s_key !== ''
    if (isServed) {
      const session =
        nwk_s_key === '' ? {} : { session: { dev_addr, keys: { f_nwk_s_int_key: { key: nwk_s_key } } } }
      store.networkServer[key] = { ids, ...rest, ...session }
      store.applicationServer[key] = {
        ids,
        ...(app_s_key === '' ? {} : { session: { dev_addr, keys: { app_s_key: { key: app_s_key } } } }),
      }
    } else store.networkServer[key] = { ids, counters: rest }
  }
  return store
}
