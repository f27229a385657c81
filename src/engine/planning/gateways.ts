import type { Diagnostic } from '../../domain/diagnostic.ts'
import type { GatewayChange, GatewayRecord, GatewaysPort } from '../../domain/gateway.ts'
import { canonicalJson, digestOf } from '../../domain/json.ts'
import type { GatewayPlan, MigrationPlan } from '../../domain/migration-plan.ts'
import type { NetworkPort } from '../../domain/ports.ts'
import { type Carried, leavingOrder } from './gateway-order.ts'

/** The gateways that the plan moves, as both networks have them; read before the devices are judged. */
export interface GatewaysRead {
  /** On the source. */
  readonly moving: ReadonlyMap<string, GatewayRecord>
  readonly onTarget: readonly GatewayRecord[]
  /** Those of them that nothing keeps from the target. */
  readonly covering: ReadonlySet<string>
  readonly findings: readonly Diagnostic[]
}

const NONE: GatewaysRead = { moving: new Map(), onTarget: [], covering: new Set(), findings: [] }

const unseen = (side: string): Diagnostic => ({
  code: 'GatewaysNotSeen',
  severity: 'error',
  message: `the API key of the ${side} sees no gateways`,
  hint: 'gateways belong to people and organizations: give the plan a personal API key, or one of the organization, with rights on the application too',
})

const unknownIds = ({ include }: GatewayPlan, known: readonly GatewayRecord[]): readonly Diagnostic[] => {
  const missing = include
    .flatMap(({ ids = [] }) => ids)
    .filter((id) => !known.some((gateway) => gateway.id === id))
  return missing.map((id) => ({
    code: 'UnknownGateway',
    severity: 'error',
    message: `the API key of the source sees no gateway ${id}`,
    hint: 'correct the id in gateways.include, or use the key of somebody who may see it',
  }))
}

/** Reads the gateways of both networks, where the plan moves some. */
export const readGateways = async (
  { gateways }: Pick<MigrationPlan, 'gateways'>,
  source: NetworkPort,
  target: NetworkPort,
  isChosen: (gatewayId: string) => boolean,
): Promise<GatewaysRead> => {
  if (gateways === undefined) return NONE
  const [from, onTarget] = await Promise.all([listOf(source), listOf(target)])
  if (from.length === 0) return { ...NONE, findings: [unseen('source')] }
  const chosen = from.filter(({ id }) => isChosen(id))
  const covering = chosen.filter((gateway) => {
    const wanted = wantedGateway(gateway, gateways)
    return blockedBy(wanted, heldOf(wanted, onTarget)) === undefined
  })
  return {
    moving: new Map(chosen.map((gateway) => [gateway.id, gateway])),
    onTarget,
    covering: new Set(covering.map(({ id }) => id)),
    findings: unknownIds(gateways, from),
  }
}

const listOf = async ({ gateways }: NetworkPort): Promise<readonly GatewayRecord[]> =>
  gateways === undefined ? [] : await gateways.list()

/** What the target's registration is to be: the source's, under the id that the plan gives it. */
export const wantedGateway = (gateway: GatewayRecord, { rename }: GatewayPlan): GatewayRecord => ({
  ...gateway,
  id: rename[gateway.id] ?? gateway.id,
})

/** Digest over what of a gateway is compared; its key as an HMAC. */
const gatewayDigest = ({ eui, settings, lnsKey }: GatewayRecord, key: string): string =>
  digestOf({ eui, settings, lnsKey: lnsKey?.value.fingerprint(key) })
    .replace('sha256:', '')
    .slice(0, 16)

/** Fields that differ; what the target has and the source does not say is left as it is. */
const differing = (wanted: GatewayRecord, held: GatewayRecord | undefined): readonly string[] =>
  Object.entries(wanted.settings)
    .filter(([name, value]) => canonicalJson(held?.settings[name] ?? null) !== canonicalJson(value))
    .map(([name]) => name)

/** A gateway is its EUI: one that is there under another id is the same. */
const heldOf = (wanted: GatewayRecord, onTarget: readonly GatewayRecord[]): GatewayRecord | undefined =>
  onTarget.find(({ eui }) => eui !== undefined && eui === wanted.eui) ??
  onTarget.find(({ id }) => id === wanted.id)

const blockedBy = (wanted: GatewayRecord, held: GatewayRecord | undefined): Diagnostic | undefined => {
  if (wanted.eui === undefined)
    return {
      code: 'GatewayWithoutEui',
      severity: 'error',
      message: `the gateway ${wanted.id} has no EUI, by which a gateway is known when it connects`,
      hint: 'set it on the source, or leave the gateway out',
    }
  if (held === undefined || held.eui === wanted.eui) return undefined
  return {
    code: 'GatewayIdTaken',
    severity: 'error',
    message: `the target has another gateway ${wanted.id}, with EUI ${held.eui ?? '(none)'}`,
    hint: 'give it another id there: gateways.rename',
  }
}

/** The gateways in the order in which they are best moved; pure. */
export const planGateways = (
  plan: GatewayPlan,
  { moving, onTarget }: GatewaysRead,
  carried: readonly Carried[],
  digestKey: string,
): readonly GatewayChange[] =>
  leavingOrder([...moving.keys()], carried).flatMap(({ gateway, ...coverage }) => {
    const record = moving.get(gateway)
    if (record === undefined) return []
    const wanted = wantedGateway(record, plan)
    const held = heldOf(wanted, onTarget)
    const blocked = blockedBy(wanted, held)
    const settings = blocked === undefined ? differing(wanted, held) : []
    const keyDiffers =
      wanted.lnsKey !== undefined &&
      (held?.lnsKey === undefined || !held.lnsKey.value.equals(wanted.lnsKey.value))
    const action =
      blocked !== undefined
        ? 'blocked'
        : held === undefined
          ? 'create'
          : settings.length > 0 || keyDiffers
            ? 'update'
            : 'same'
    return [
      {
        gateway,
        target: blocked === undefined ? (held?.id ?? wanted.id) : wanted.id,
        ...(wanted.eui === undefined ? {} : { eui: wanted.eui }),
        action,
        settings,
        lnsKey:
          wanted.lnsKey === undefined || blocked !== undefined ? 'none' : keyDiffers ? 'carried' : 'same',
        ...coverage,
        expect: {
          source: gatewayDigest(record, digestKey),
          target: held === undefined ? null : gatewayDigest(held, digestKey),
        },
        findings: blocked === undefined ? [] : [blocked],
      } satisfies GatewayChange,
    ]
  })

/** Writes one registration; the caller has seen that both sides are as they were planned. */
export const carryGateway = async (
  { target, action, settings }: GatewayChange,
  wanted: GatewayRecord,
  { owner }: GatewayPlan,
  port: GatewaysPort,
): Promise<void> => {
  if (action === 'create') return port.create({ ...wanted, id: target }, owner)
  const { lnsKey, ...rest } = wanted
  await port.update({
    ...rest,
    id: target,
    settings: Object.fromEntries(settings.map((name) => [name, wanted.settings[name] ?? null])),
    ...(lnsKey === undefined ? {} : { lnsKey }),
  })
}
