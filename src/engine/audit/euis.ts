import type { AuditFinding, Registration } from '../../domain/audit.ts'
import type { DeviceIds } from '../../domain/device.ts'
import type { Side } from '../../domain/journal.ts'
import type { HeldElsewhere } from '../../domain/ports.ts'
import { euiKey, euisOf } from '../device/euis.ts'
import type { KnownDevice } from './known-ids.ts'
import { targetStage } from './repairs.ts'
import { deletion } from './words.ts'

interface Euis {
  readonly devEui?: string
  readonly joinEui?: string
}

/** The EUIs that a device will have on the target. */
export const targetEuis = (device: KnownDevice, source: Registration | undefined): Euis => {
  const { set } = device.intent
  const devEui = set.devEui ?? source?.devEui ?? device.listed?.devEui ?? device.progress?.devEui
  const joinEui = set.joinEui ?? source?.joinEui ?? device.listed?.joinEui ?? device.progress?.joinEui
  return euisOf({ devEui, joinEui })
}

const byPair = (registrations: Iterable<Registration>): ReadonlyMap<string, readonly Registration[]> => {
  const pairs = new Map<string, Registration[]>()
  for (const registration of registrations) {
    const key = euiKey(registration)
    if (key === undefined || registration.held.length === 0) continue
    const known = pairs.get(key)
    if (known === undefined) pairs.set(key, [registration])
    else known.push(registration)
  }
  return pairs
}

/** Ids of one application that have one pair of EUIs: the Identity Server lets none in, an orphan makes them. */
export const euiTwins = (
  registrations: Iterable<Registration>,
  side: Side,
  application: string,
): readonly AuditFinding[] =>
  [...byPair(registrations).values()]
    .filter((twins) => twins.length > 1)
    .flatMap((twins) =>
      twins.map((twin): AuditFinding => {
        const others = twins.filter((other) => other !== twin).map(({ deviceId }) => deviceId)
        return {
          kind: 'eui-twin',
          code: 'EuiTwins',
          side,
          device: twin.deviceId,
          ...(twin.devEui === undefined ? {} : { devEui: twin.devEui }),
          message: `${twin.deviceId} has the EUIs of ${others.join(', ')} in the same application`,
          means: twinsMean(side, twin),
          fix: `find out which one is in use, and delete the other: ${deletion(twin, application)}`,
        }
      }),
    )

/** Only a pair of both EUIs is refused by the registries; the plan blocks what has a DevEUI that is taken too. */
const twinsMean = (side: Side, { joinEui }: Registration): string =>
  side === 'source'
    ? 'one of them can cross; from then on its EUIs are taken on the target, and the other is blocked'
    : joinEui === undefined
      ? 'one of them alone can be the device that sends'
      : 'a registry that holds the one refuses the other, so one of them can not be completed'

/** Who holds EUIs on the target; no `application` where it is the plan's own. */
type Holder = Pick<DeviceIds, 'deviceId'> & {
  readonly application?: string
  readonly registration?: Registration
}

/**
 * Devices of the plan whose EUIs another id of the target has, in its application or in another that the key may
 * look into. The source's own devices are no strangers, where both applications are of one deployment.
 */
export const euisTaken = (input: {
  readonly devices: readonly { readonly device: KnownDevice; readonly source: Registration | undefined }[]
  readonly target: ReadonlyMap<string, Registration>
  readonly elsewhere: readonly HeldElsewhere[]
  readonly application: string
}): readonly AuditFinding[] => {
  const own = byPair(input.target.values())
  // In another application a DevEUI alone clashes with none.
  const others = new Map(
    input.elsewhere
      .filter(({ joinEui }) => joinEui !== undefined)
      .map((holder) => [euiKey(holder) ?? '', holder] as const),
  )
  return input.devices.flatMap(({ device, source }) => {
    if (!device.selected || targetStage(device) !== 'untouched') return []
    const euis = targetEuis(device, source)
    const key = euiKey(euis)
    if (key === undefined) return []
    const held = own.get(key) ?? []
    if (held.some(({ deviceId }) => deviceId === device.target)) return []
    const [registration] = held
    const holder: Holder | undefined =
      registration === undefined ? others.get(key) : { deviceId: registration.deviceId, registration }
    return holder === undefined ? [] : [takenBy(holder, device, euis, input.application)]
  })
}

const takenBy = (
  holder: Holder,
  device: KnownDevice,
  { devEui }: Euis,
  application: string,
): AuditFinding => {
  const name = holder.application === undefined ? holder.deviceId : `${holder.application}/${holder.deviceId}`
  const remove =
    holder.registration === undefined
      ? `ttn-lw-cli end-devices delete ${holder.application ?? application} HOLDER`
      : deletion(holder.registration, application).replaceAll(/\bID\b/g, 'HOLDER')
  const isListed = holder.registration?.held.includes('identity-server') === true
  return {
    kind: 'euis-taken',
    code: 'EuisTaken',
    side: 'target',
    device: device.deviceId,
    ...(devEui === undefined ? {} : { devEui }),
    message: `the target's ${name} has the EUIs of ${device.deviceId}`,
    means: `it can not be created as long as ${holder.application === undefined ? 'another id' : 'another application'} of the target has its EUIs`,
    fix: isListed
      ? `the same device: write set.deviceId: HOLDER in an override for it; else, if it is not in use: ${remove}`
      : `if the holder is not in use: ${remove}`,
  }
}
