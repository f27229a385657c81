import type {
  ApplicationChange,
  ApplicationFailure,
  ApplicationPort,
  ApplicationSettings,
  Collaborator,
  PubSub,
  Webhook,
} from '../../domain/application.ts'
import { NetworkError } from '../../domain/errors.ts'
import { canonicalJson, digestOf, type Json } from '../../domain/json.ts'
import type { MigrationPlan } from '../../domain/migration-plan.ts'
import type { NetworkPort } from '../../domain/ports.ts'
import { errorRecord } from '../crossing/device-journal.ts'

type Wanting = Pick<MigrationPlan, 'application'>

/** What an application has around its devices, on both networks, as far as the plan carries it. */
export interface ApplicationsRead {
  readonly settings?: Sides<ApplicationSettings>
  readonly webhooks?: Sides<readonly Webhook[]>
  readonly pubSubs?: Sides<readonly PubSub[]>
  readonly collaborators?: Sides<readonly Collaborator[]>
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
    ...(application.pubSubs ? { pubSubs: await both((port) => port.pubSubs()) } : {}),
    ...(application.collaborators ? { collaborators: await both((port) => port.collaborators()) } : {}),
  }
}

const digest = (value: unknown): string => digestOf(value as Json)

/** What the target has none of; what it has stays as it is. */
const missingSettings = ({ source, target }: Sides<ApplicationSettings>): ApplicationSettings => {
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

const pubSubChange = (wanted: PubSub, all: readonly PubSub[]): ApplicationChange => {
  const held = all.find(({ id }) => id === wanted.id)
  const isLeft = wanted.left.length > 0
  const isSame = canonicalJson(held?.fields ?? null) === canonicalJson(wanted.fields)
  // Two that hold something secret can not be compared: the target has one, which is enough.
  const action = held === undefined ? (isLeft ? 'left' : 'write') : isSame || isLeft ? 'same' : 'differs'
  return {
    part: 'pub-sub',
    id: wanted.id,
    action,
    names: action === 'write' ? Object.keys(wanted.fields) : [],
    left: action === 'left' ? wanted.left : [],
    digest: digest(wanted.fields),
  }
}

const nameOf = ({ kind, id }: Collaborator): string => `${kind} ${id}`

const collaboratorChange = (wanted: Collaborator, all: readonly Collaborator[]): ApplicationChange => {
  const held = all.find((each) => nameOf(each) === nameOf(wanted))
  const isSame = held !== undefined && canonicalJson(held.rights) === canonicalJson(wanted.rights)
  const action = held === undefined ? 'write' : isSame ? 'same' : 'differs'
  return {
    part: 'collaborator',
    id: nameOf(wanted),
    action,
    names: action === 'write' ? wanted.rights : [],
    left: [],
    digest: digest(wanted.rights),
  }
}

const each = <T>(
  sides: Sides<readonly T[]> | undefined,
  change: (wanted: T, all: readonly T[]) => ApplicationChange,
): readonly ApplicationChange[] => sides?.source.map((wanted) => change(wanted, sides.target)) ?? []

/** Pure: what becomes of each part, in a fixed order. */
export const planApplication = (read: ApplicationsRead): readonly ApplicationChange[] => [
  ...(read.settings === undefined
    ? []
    : [
        ...textChange('name', read.settings),
        ...textChange('description', read.settings),
        ...attributesChange(read.settings),
      ]),
  ...each(read.webhooks, webhookChange),
  ...each(read.pubSubs, pubSubChange),
  ...each(read.collaborators, collaboratorChange),
]

/** What writes one part; undefined where it is written with others. */
const writing = (
  { part, id, left }: ApplicationChange,
  read: ApplicationsRead,
  target: ApplicationPort,
): (() => Promise<void>) | undefined => {
  switch (part) {
    case 'webhook': {
      const webhook = read.webhooks?.source.find((one) => one.id === id)
      // It would call its address in vain until the server gave it up.
      return webhook === undefined ? undefined : () => target.createWebhook(webhook, left.length > 0)
    }
    case 'pub-sub': {
      const pubSub = read.pubSubs?.source.find((one) => one.id === id)
      return pubSub === undefined ? undefined : () => target.createPubSub(pubSub)
    }
    case 'collaborator': {
      const collaborator = read.collaborators?.source.find((one) => nameOf(one) === id)
      return collaborator === undefined ? undefined : () => target.addCollaborator(collaborator)
    }
    default:
      return undefined
  }
}

/**
 * Writes what the target has none of. What can not be written keeps nothing else back: a collaborator whom the target does not know is
 * no reason to leave devices where they are.
 */
export const carryApplication = async (
  changes: readonly ApplicationChange[],
  read: ApplicationsRead,
  target: ApplicationPort,
): Promise<readonly ApplicationFailure[]> => {
  const failures: ApplicationFailure[] = []
  const tried = async (
    of: Pick<ApplicationChange, 'part' | 'id'>,
    work: () => Promise<void>,
  ): Promise<void> => {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error
      failures.push({
        part: of.part,
        ...(of.id === undefined ? {} : { id: of.id }),
        error: errorRecord(error),
      })
    }
  }
  const missing = read.settings === undefined ? {} : missingSettings(read.settings)
  if (Object.keys(missing).length > 0) await tried({ part: 'attributes' }, () => target.setSettings(missing))
  for (const change of changes) {
    const work = change.action === 'write' ? writing(change, read, target) : undefined
    if (work !== undefined) await tried(change, work)
  }
  return failures
}
