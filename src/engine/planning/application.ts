import type {
  ApplicationChange,
  ApplicationPort,
  ApplicationSettings,
  Webhook,
} from '../../domain/application.ts'
import { canonicalJson, digestOf, type Json } from '../../domain/json.ts'
import type { MigrationPlan } from '../../domain/migration-plan.ts'
import type { NetworkPort } from '../../domain/ports.ts'

type Wanting = Pick<MigrationPlan, 'application'>

/** What an application has around its devices, on both networks, as far as the plan carries it. */
export interface ApplicationsRead {
  readonly settings?: Sides<ApplicationSettings>
  readonly webhooks?: Sides<readonly Webhook[]>
}

interface Sides<T> {
  readonly source: T
  readonly target: T
}

/** Reads what the plan carries, and nothing else. */
export const readApplications = async (
  { application }: Wanting,
  source: NetworkPort,
  target: NetworkPort,
): Promise<ApplicationsRead> => {
  const [from, to] = [source.application, target.application]
  if (application === undefined || from === undefined || to === undefined) return {}
  const both = async <T>(read: (port: ApplicationPort) => Promise<T>): Promise<Sides<T>> => {
    const [there, here] = await Promise.all([read(from), read(to)])
    return { source: there, target: here }
  }
  return {
    ...(application.attributes ? { settings: await both((port) => port.settings()) } : {}),
    ...(application.webhooks ? { webhooks: await both((port) => port.webhooks()) } : {}),
  }
}

const digest = (value: unknown): string => digestOf(value as Json)

/** What the target has none of; what it has stays as it is. */
export const missingSettings = ({ source, target }: Sides<ApplicationSettings>): ApplicationSettings => {
  const attributes = Object.fromEntries(
    Object.entries(source.attributes ?? {}).filter(([name]) => target.attributes?.[name] === undefined),
  )
  return {
    ...(source.name !== undefined && target.name === undefined ? { name: source.name } : {}),
    ...(source.description !== undefined && target.description === undefined
      ? { description: source.description }
      : {}),
    // A field is written whole: those of the target stay in it.
    ...(Object.keys(attributes).length === 0 ? {} : { attributes: { ...target.attributes, ...attributes } }),
  }
}

const textChange = (
  part: 'name' | 'description',
  { source, target }: Sides<ApplicationSettings>,
): readonly ApplicationChange[] => {
  const [wanted, held] = [source[part], target[part]]
  if (wanted === undefined) return []
  const action = held === undefined ? 'write' : held === wanted ? 'same' : 'differs'
  return [{ part, action, names: [], left: [], digest: digest(wanted) }]
}

const attributesChange = (sides: Sides<ApplicationSettings>): readonly ApplicationChange[] => {
  const [wanted, held] = [sides.source.attributes ?? {}, sides.target.attributes ?? {}]
  if (Object.keys(wanted).length === 0) return []
  const names = Object.keys(wanted).filter((name) => held[name] === undefined)
  const isOther = Object.entries(wanted).some(
    ([name, value]) => held[name] !== undefined && held[name] !== value,
  )
  const action = names.length > 0 ? 'write' : isOther ? 'differs' : 'same'
  return [{ part: 'attributes', action, names, left: [], digest: digest(wanted) }]
}

const webhookChange = (wanted: Webhook, all: readonly Webhook[]): ApplicationChange => {
  const held = all.find(({ id }) => id === wanted.id)
  const { paused: _wanted, ...mine } = wanted.fields
  const { paused: _held, ...theirs } = held?.fields ?? {}
  const action =
    held === undefined ? 'write' : canonicalJson(theirs) === canonicalJson(mine) ? 'same' : 'differs'
  return {
    part: 'webhook',
    id: wanted.id,
    action,
    names: action === 'write' ? Object.keys(wanted.fields) : [],
    left: action === 'write' ? wanted.left : [],
    digest: digest(mine),
  }
}

/** Pure: what becomes of each part, in a fixed order. */
export const planApplication = ({ settings, webhooks }: ApplicationsRead): readonly ApplicationChange[] => [
  ...(settings === undefined
    ? []
    : [
        ...textChange('name', settings),
        ...textChange('description', settings),
        ...attributesChange(settings),
      ]),
  ...(webhooks === undefined
    ? []
    : webhooks.source.map((webhook) => webhookChange(webhook, webhooks.target))),
]

/**
 * Writes what the target has none of. A webhook that lacks something secret is made without sending: it would call its address in vain
 * until the server gave it up.
 */
export const carryApplication = async (
  changes: readonly ApplicationChange[],
  { settings, webhooks }: ApplicationsRead,
  target: ApplicationPort,
): Promise<void> => {
  const missing = settings === undefined ? {} : missingSettings(settings)
  if (Object.keys(missing).length > 0) await target.setSettings(missing)
  for (const { part, id, action, left } of changes) {
    const webhook = webhooks?.source.find((each) => each.id === id)
    if (part === 'webhook' && action === 'write' && webhook !== undefined)
      await target.createWebhook(webhook, left.length > 0)
  }
}
