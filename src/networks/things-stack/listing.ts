import type { Json } from '../../domain/json.ts'
import type { SelectableDevice } from '../../domain/migration-plan.ts'
import type { HttpAnswer } from '../../http/index.ts'
import type { Api } from './api.ts'
import { ownError } from './errors.ts'
import { arrayOf, objectOf, textOf, valueAt } from './json-tree.ts'
import { idsOf } from './records.ts'

/** The most that a list request may ask for. */
const PAGE = 1000
/** So often a listing begins again because devices came or went while it was read. */
const TRIES = 4

/**
 * The id is written first: an object that begins with a spread and is added to gets a shape of its own from V8 (of Node 20), and the
 * shapes of a hundred thousand devices take more memory than the devices.
 */
const selectable = (device: Json): SelectableDevice => {
  const { deviceId, ...euis } = idsOf(device)
  const attributes = valueAt(device, 'attributes')
  return { deviceId, ...euis, ...(attributes === undefined ? {} : { attributes }) }
}

interface Page {
  readonly devices: readonly SelectableDevice[]
  /** Of the whole application; undefined where the server does not tell. */
  readonly total: number | undefined
}

const ask = (api: Api, fieldMask: string, page: number): Promise<HttpAnswer> =>
  api.call({
    method: 'GET',
    registry: 'identity-server',
    path: api.devicesPath('identity-server'),
    query: { field_mask: fieldMask, order: 'device_id', limit: String(PAGE), page: String(page) },
  })

const readPage = async (api: Api, page: number): Promise<Page> => {
  const answer = await ask(api, 'attributes', page)
  const count = answer.headers['x-total-count']
  return {
    devices: arrayOf(objectOf(answer.body)?.['end_devices']).map(selectable),
    total: count !== undefined && /^\d+$/.test(count) ? Number(count) : undefined,
  }
}

/** Pages one after the other, for a server that does not tell how many there are. */
const readUncounted = async (api: Api, first: Page): Promise<readonly Page[]> => {
  const pages = [first]
  while (pages.at(-1)?.devices.length === PAGE) pages.push(await readPage(api, pages.length + 1))
  return pages
}

/** Everything once, or undefined where it moved meanwhile: pages are cut by position, so a delete hides a device. */
const readOnce = async (api: Api): Promise<readonly SelectableDevice[] | undefined> => {
  const first = await readPage(api, 1)
  const { total } = first
  const rest = Array.from(
    { length: Math.max(0, Math.ceil((total ?? 0) / PAGE) - 1) },
    (_, index) => index + 2,
  )
  const pages =
    total === undefined
      ? await readUncounted(api, first)
      : [first, ...(await Promise.all(rest.map((page) => readPage(api, page))))]
  const byId = new Map(pages.flatMap((page) => page.devices).map((device) => [device.deviceId, device]))
  const moved = pages.some((page) => page.total !== total) || (total !== undefined && byId.size !== total)
  if (moved) return undefined
  return [...byId.values()].sort((a, b) => (a.deviceId < b.deviceId ? -1 : a.deviceId > b.deviceId ? 1 : 0))
}

/**
 * All devices that the Identity Server knows in the application, by device id, in pages of up to 1000, each once.
 * The listing is compared with the count that the server tells and begins again where it moved; `ListingMoved`
 * where it does not come to rest.
 */
export async function* listDevices(api: Api): AsyncGenerator<readonly SelectableDevice[]> {
  let devices: readonly SelectableDevice[] | undefined
  for (let tries = 0; devices === undefined; tries += 1) {
    if (tries === TRIES) {
      throw ownError(
        'ListingMoved',
        `devices of the application ${api.application} come or go while they are listed`,
        api.asked({
          method: 'GET',
          registry: 'identity-server',
          path: api.devicesPath('identity-server'),
        }),
        'wait until nobody registers or deletes devices there, and run the command again',
      )
    }
    devices = await readOnce(api)
  }
  for (let from = 0; from < devices.length; from += PAGE) yield devices.slice(from, from + PAGE)
}

/** When each device was seen last. A device that comes or goes meanwhile may be missing: whoever asks looks at it by itself then. */
export const readLastSeen = async (api: Api): Promise<ReadonlyMap<string, string>> => {
  const seen = new Map<string, string>()
  for (let page = 1; ; page += 1) {
    const { body } = await ask(api, 'last_seen_at', page)
    const devices = arrayOf(objectOf(body)?.['end_devices'])
    for (const device of devices) {
      const id = textOf(valueAt(device, 'ids.device_id'))
      if (id !== undefined) seen.set(id, textOf(valueAt(device, 'last_seen_at')) ?? '')
    }
    if (devices.length < PAGE) return seen
  }
}
