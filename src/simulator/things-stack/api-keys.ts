import { randomBytes } from 'node:crypto'
import type { Message } from '../json/types.ts'
import type { Network } from '../network.ts'

export type EntityKind = 'user' | 'application' | 'gateway'

/** An API key as it is stored; the secret is compared and shown once, when it is created. */
export interface ApiKey {
  readonly id: string
  readonly secret: string
  readonly name: string
  readonly rights: readonly string[]
  readonly entity: { readonly kind: EntityKind; readonly id: string }
  readonly createdAt: string
  readonly updatedAt: string
  readonly expiresAt: string | undefined
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const randomText = (length: number): string =>
  [...randomBytes(length)].map((byte) => alphabet[byte % 32]).join('')

/** The token that a client sends: `NNSXS.<39 characters>.<52 characters>`. */
export const tokenOf = (key: ApiKey): string => `NNSXS.${key.id}.${key.secret}`

/** Creates and registers a key. */
export const createApiKey = (
  network: Network,
  entity: ApiKey['entity'],
  name: string,
  rights: readonly string[],
  expiresAt?: string,
): ApiKey => {
  const createdAt = network.clock.micros()
  const key: ApiKey = {
    id: randomText(39),
    secret: randomText(52),
    name,
    rights,
    entity,
    createdAt,
    updatedAt: createdAt,
    expiresAt,
  }
  network.apiKeys.set(key.id, key)
  return key
}

/** The key as the API shows it, without its secret. */
export const printApiKey = (key: ApiKey): Message => ({
  id: key.id,
  ...(key.name === '' ? {} : { name: key.name }),
  ...(key.rights.length === 0 ? {} : { rights: [...key.rights] }),
  created_at: key.createdAt,
  updated_at: key.updatedAt,
  ...(key.expiresAt === undefined ? {} : { expires_at: key.expiresAt }),
})
