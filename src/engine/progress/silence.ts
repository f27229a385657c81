import type { Fields } from '../../domain/device.ts'
import type { Carrier } from '../../domain/gateway.ts'
import type { SilenceReason } from '../../domain/journal.ts'
import { joinsAnew } from '../device/route.ts'
import { MUTE } from '../device/scheduling.ts'
import type { DeviceProgress } from './progress.ts'

/** How a gateway of the source is on the target; unknown where the credential may not look. */
export type CarrierThere = 'connected' | 'away' | 'absent' | 'unknown'

export interface SilenceInput {
  readonly progress: DeviceProgress
  /** What the target's Network Server holds. */
  readonly network: Fields | undefined
  /** On the source, where it still tells. */
  readonly frequencyPlan: string | undefined
  readonly isOwnDevAddr: (devAddr: string) => boolean
  readonly carriers: readonly CarrierThere[]
}

/** What may keep the target from hearing a device, the likeliest first. Empty where nothing is known that would. */
export const silenceReasons = ({
  progress,
  network,
  frequencyPlan,
  isOwnDevAddr,
  carriers,
}: SilenceInput): readonly SilenceReason[] => {
  const { baseline, route } = progress
  const [devAddr, plan] = [network?.['session.dev_addr'], network?.['frequency_plan_id']]
  const isKept = route !== undefined && !joinsAnew(route)
  const isAll = (...states: readonly CarrierThere[]): boolean =>
    carriers.length > 0 && carriers.every((carrier) => states.includes(carrier))
  const found: Readonly<Record<SilenceReason, boolean>> = {
    muted: network?.[MUTE] === false,
    'gateways-absent': isAll('absent'),
    'gateways-away': isAll('away', 'absent') && !isAll('absent'),
    'other-plan':
      frequencyPlan !== undefined &&
      frequencyPlan !== '' &&
      typeof plan === 'string' &&
      plan !== frequencyPlan,
    'foreign-dev-addr': isKept && typeof devAddr === 'string' && !isOwnDevAddr(devAddr),
    'never-sent': isKept && (baseline?.lastFCntUp ?? 0) === 0 && (baseline?.heardBy ?? []).length === 0,
  }
  return (Object.keys(found) as SilenceReason[]).filter((reason) => found[reason])
}

const named = (carriers: readonly Carrier[] = []): string => carriers.map(({ id }) => id).join(', ')

/** A reason as a person says it. */
export const silenceWords = (
  reason: SilenceReason,
  { baseline }: Pick<DeviceProgress, 'baseline'>,
): string => {
  switch (reason) {
    case 'muted':
      return 'the target may not send to it (mac_settings.schedule_downlinks): it accepts no join, and answers nothing'
    case 'gateways-absent':
      return `none of the gateways that heard it last on the source is on the target (${named(baseline?.heardBy)})`
    case 'gateways-away':
      return `none of the gateways that heard it last on the source is connected to the target (${named(baseline?.heardBy)})`
    case 'other-plan':
      return 'its frequency plan on the target is another than on the source'
    case 'foreign-dev-addr':
      return "its DevAddr is not of the target's blocks: only gateways of the target bring its uplinks, Packet Broker does not"
    case 'never-sent':
      return 'the source has heard nothing of it either'
  }
}
