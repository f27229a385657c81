import type { ChangeSet, DeviceChange } from '../domain/change-set.ts'
import { hasFinding, hasRoute, hasStep, isCrossing, isDeleting, isReprogrammed } from './crossing.ts'
import { plural } from './words.ts'

/** What can't be undone, by count and sentence; empty where everything can. */
export interface Irreversible {
  readonly name: string
  readonly devices: number
  readonly text: string
}

interface IrreversibleRule {
  readonly name: string
  readonly applies: (device: DeviceChange, changeSet: ChangeSet) => boolean
  readonly text: (number: number) => string
}

/** It has no session that it could leave. */
const neverJoined = (device: DeviceChange): boolean => hasFinding(device, 'NeverJoined')

const IRREVERSIBLE: readonly IrreversibleRule[] = [
  {
    name: 'source-deletes',
    applies: isDeleting,
    text: (number) =>
      `${plural(number, 'is', 'are')} deleted on the source: only the escrow brings the keys back, and nothing brings back what the source stored besides`,
  },
  {
    name: 'delete-first',
    applies: (device) => device.handover === 'delete-first' && isCrossing(device),
    text: (number) =>
      `${plural(number, 'loses what it sends', 'lose what they send')} while no network holds ${plural(number, 'it', 'them')}, and ${plural(number, 'its', 'their')} queued downlinks that were not copied`,
  },
  {
    name: 'root-keys',
    applies: (device) => hasStep(device, 'prevent-rejoin'),
    text: (number) =>
      `${plural(number, 'loses its', 'lose their')} root keys on the source: without the escrow's age identity they are not restored there`,
  },
  {
    name: 'nonces',
    applies: (device, { source }) =>
      source.network === 'ttn-v2' &&
      device.profile?.activation === 'otaa' &&
      (hasStep(device, 'clear-source') || hasStep(device, 'prevent-rejoin') || isDeleting(device)),
    text: (number) =>
      `${plural(number, 'loses', 'lose')} the nonces of earlier joins on the source, which forgets them with every change of the AppKey: after a rollback a recorded join request may be answered again`,
  },
  {
    name: 'rejoin',
    applies: (device) =>
      hasRoute(device, 'joining-anew', 'joining-triggered') && isCrossing(device) && !neverJoined(device),
    text: (number) =>
      `${plural(number, 'leaves its', 'leave their')} session for ever by joining on the target: the way back is another join`,
  },
  {
    name: 'counters-reset',
    applies: (device) => device.route === 'abp-reset' && isCrossing(device),
    text: (number) =>
      `${plural(number, 'accepts', 'accept')} old frames until reset: a replay that was accepted stays`,
  },
  {
    name: 're-programmed',
    applies: (device) => isReprogrammed(device) && isCrossing(device),
    text: (number) =>
      `${plural(number, 'is', 'are')} re-programmed by hand: the way back is to program the old credentials again`,
  },
]

export const irreversibleOf = (changeSet: ChangeSet): readonly Irreversible[] =>
  IRREVERSIBLE.map((rule) => {
    const number = changeSet.devices.filter((device) => rule.applies(device, changeSet)).length
    return { name: rule.name, devices: number, text: rule.text(number) }
  }).filter((item) => item.devices > 0)
