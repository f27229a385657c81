import { NetworkError } from '../../domain/errors.ts'
import type { Json } from '../../domain/json.ts'
import type { SelectableDevice } from '../../domain/migration-plan.ts'
import type { Api } from './api.ts'
import { idsOf } from './mapping.ts'

/** Devices a page: far from the 4 MiB that a list may have. */
const PAGE = 1_000
/** So often a listing begins again because devices came or went while it was read. */
const TRIES = 4

interface Page {
  readonly devices: readonly SelectableDevice[]
  /** Of the whole application; undefined where the handler does not tell. */
  readonly total: number | undefined
}

const selectable = (device: Json): SelectableDevice => {
  const { attributes } = device as { readonly attributes?: Json }
  return { ...idsOf(device), ...(attributes === undefined ? {} : { attributes }) }
}

const readPage = async (api: Api, offset: number): Promise<Page> => {
  const query = { limit: String(PAGE), offset: String(offset) }
  const { body, headers } = await api.call({ method: 'GET', path: api.devicesPath(), query })
  const { devices = [] } = (body ?? {}) as { readonly devices?: readonly Json[] }
  const total = headers['grpc-metadata-total']
  return {
    devices: devices.map(selectable),
    total: total !== undefined && /^\d+$/.test(total) ? Number(total) : undefined,
  }
}

/** Everything once; undefined where it moved meanwhile: pages are cut by position, so a delete hides a device. */
const readOnce = async (api: Api): Promise<readonly SelectableDevice[] | undefined> => {
  const pages: Page[] = []
  do pages.push(await readPage(api, pages.length * PAGE))
  while (pages.at(-1)?.devices.length === PAGE)
  const byId = new Map(pages.flatMap(({ devices }) => devices).map((device) => [device.deviceId, device]))
  const total = pages[0]?.total
  const moved = pages.some((page) => page.total !== total) || (total !== undefined && byId.size !== total)
  return moved ? undefined : [...byId.values()]
}

/** All devices of the application with their attributes, in pages, each once; their counters are not among it. */
export async function* listDevices(api: Api): AsyncGenerator<readonly SelectableDevice[]> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const devices = await readOnce(api)
    if (devices === undefined) continue
    for (let from = 0; from < devices.length; from += PAGE) yield devices.slice(from, from + PAGE)
    return
  }
  throw new NetworkError(
    'ListingMoved',
    `devices of the application ${api.application} come or go while they are listed`,
    { effect: 'none', request: `GET ${api.devicesPath()}` },
    { hint: 'wait until nobody registers or deletes devices there, and run the command again' },
  )
}
