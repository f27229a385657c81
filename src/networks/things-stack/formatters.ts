import type { Formatters } from '../../domain/ports.ts'
import type { Api } from './api.ts'
import { isNotFound } from './errors.ts'
import { objectOf, textOf } from './json-tree.ts'

const REGISTRY = 'application-server'
const FIELD = 'default_formatters'
const NAMES = [
  'up_formatter',
  'up_formatter_parameter',
  'down_formatter',
  'down_formatter_parameter',
] as const
/** What the server leaves out, or writes for it. */
const NONE = 'FORMATTER_NONE'

const linkPath = (api: Api): string => `/as/applications/${encodeURIComponent(api.application)}/link`

/** Default payload formatters of the application, which lie on its link; undefined for none. */
export const readFormatters = async (api: Api): Promise<Formatters | undefined> => {
  const call = {
    method: 'GET',
    registry: REGISTRY,
    path: linkPath(api),
    query: { field_mask: FIELD },
  } as const
  const answer = await api.call(call).catch((error: unknown) => {
    // An application that nobody linked has no formatters either.
    if (isNotFound(error)) return undefined
    throw error
  })
  const held = objectOf(objectOf(answer?.body)?.[FIELD]) ?? {}
  const found = NAMES.flatMap((name) => {
    const text = textOf(held[name])
    return text === undefined || text === '' || text === NONE ? [] : [[name, text] as const]
  })
  return found.length === 0 ? undefined : Object.fromEntries(found)
}

export const writeFormatters = async (api: Api, formatters: Formatters): Promise<void> => {
  await api.call({
    method: 'PUT',
    registry: REGISTRY,
    path: linkPath(api),
    body: { link: { [FIELD]: { ...formatters } }, field_mask: { paths: [FIELD] } },
  })
}
