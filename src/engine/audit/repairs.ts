import type { Registration } from '../../domain/audit.ts'
import type { Registry } from '../../domain/device.ts'
import type { DeviceProgress } from '../progress/progress.ts'
import { isLetGo, isOurs, isSourceEnding } from '../progress/standing.ts'
import type { KnownDevice } from './known-ids.ts'
import { deletion, listed, registryNames, route } from './words.ts'

const JS = 'join-server'
const NS = 'network-server'
const AS = 'application-server'

/** What a finding means for the migration, and what to do. */
export interface Repair {
  readonly means: string
  readonly fix: string
}

export interface Place {
  readonly application: string
  /** The plan's file, for commands. */
  readonly plan: string
}

/** How far the state says that a device is, as far as it matters for what the source holds. */
export const sourceStage = ({ progress }: { readonly progress?: DeviceProgress | undefined }): Stage => {
  if (isSourceEnding(progress)) return 'retiring'
  return targetStage({ progress })
}

/** The same for what the target holds: it is ours to complete until it is let go. */
export const targetStage = ({ progress }: { readonly progress?: DeviceProgress | undefined }): Stage => {
  if (isLetGo(progress)) return 'let-go'
  return isOurs(progress) ? 'crossing' : 'untouched'
}

type Stage = 'untouched' | 'crossing' | 'let-go' | 'retiring'

export const goesOn = (selected: boolean, { plan }: Place): string =>
  selected
    ? `ferry apply ${plan} goes on with it`
    : `include it in the plan: ferry apply ${plan} goes on with it`

const theNames = (registries: readonly Registry[]): string => `the ${registryNames(registries)}`

/** A device of the source that the Identity Server knows and others do not. */
export const repairHalfOnSource = (held: Registration, device: KnownDevice, place: Place): Repair => {
  const byHand = `or delete it: ${deletion(held, place.application)}`
  switch (sourceStage(device)) {
    case 'retiring':
      return {
        means: 'its deletion on the source was begun and has not ended',
        fix: goesOn(device.selected, place),
      }
    case 'let-go':
      return {
        means: 'the target serves it, so the migration does not need the source any more',
        fix: `delete the rest once it is heard: ${deletion(held, place.application)}`,
      }
    case 'crossing':
      return {
        means: 'it is half-way to the target, and the escrow holds what is missing here',
        fix: `ferry escrow restore ${place.plan} --device ID creates what is missing, and leaves it muted`,
      }
    case 'untouched':
      if (!device.selected)
        return {
          means: 'the plan leaves it out, so it stays as it is',
          fix: `register it on ${theNames(held.missing)}, ${byHand}`,
        }
      return repairSelected(held, device, place)
  }
}

const repairSelected = (held: Registration, device: KnownDevice, place: Place): Repair => {
  const exclude = `exclude it, or delete it: ${deletion(held, place.application)}`
  const { missing, activation } = held
  if (missing.includes(JS) && held.held.length === 1)
    return {
      means: 'nothing but its name and attributes is there, so there is nothing to move',
      fix: `register it on ${theNames(missing)}, ${exclude}`,
    }
  if (missing.includes(JS))
    return {
      means: 'it can not cross: nobody has the root keys by which the target would let it join',
      fix: `put its root keys back: PUT ${route(JS, place.application)}; or ${exclude}`,
    }
  if (!held.held.includes(JS) && activation === 'otaa')
    return {
      means: 'it can not be completed from here: its root keys are in the Join Server of another operator',
      fix: `register it on ${theNames(missing)}, or ${exclude}`,
    }
  if (activation !== 'otaa')
    return {
      means: 'it can not cross: a part of its session is gone, and it can not join anew',
      fix: `register it on ${theNames(missing)} with the session that the device has, or ${exclude}`,
    }
  return repairByJoining(held, device, place)
}

/** Root keys are there: it can cross without a session, where the plan says what the Network Server would have. */
const repairByJoining = (
  { missing, hasSession }: Registration,
  device: KnownDevice,
  place: Place,
): Repair => {
  const { policy, set } = device.intent
  // Without a record in the Network Server there is no session that could be kept.
  const keeps = policy.persistSession && hasSession && !missing.includes(NS)
  const wanted = [
    ...(policy.adopt === 'partial' ? [] : ['policy.adopt: partial']),
    ...(keeps ? ['policy.persistSession: false'] : []),
    ...(missing.includes(NS)
      ? (['frequencyPlan', 'lorawanVersion', 'lorawanPhyVersion'] as const)
          .filter((name) => set[name] === undefined)
          .map((name) => `set.${name}`)
      : []),
  ]
  if (wanted.length === 0)
    return {
      means: 'it crosses as it is: the plan has it join anew (policy.adopt: partial)',
      fix: `ferry apply ${place.plan} moves it; what is missing on the source is not needed`,
    }
  return {
    means: 'it can not keep its session, and can cross by joining anew',
    fix: `write ${listed(wanted)} in an override for it; or register it on ${theNames(missing)}, or exclude it`,
  }
}

/** A registry takes a pair of EUIs once; a DevEUI alone is no pair. */
const inTheWay = ({ held, joinEui }: Registration): string =>
  joinEui === undefined ? '' : `; ${theNames(held)} would refuse its EUIs under another id`

/** Records of the source that no listing shows. */
export const repairOrphanOnSource = (held: Registration, device: KnownDevice, place: Place): Repair => {
  const stage = sourceStage(device)
  if (stage === 'let-go' || stage === 'retiring')
    return {
      means: 'the target serves the device; what is left here holds its EUIs on the source',
      fix: deletion(held, place.application),
    }
  if (stage === 'crossing')
    return {
      means: 'it is half-way to the target, and the escrow holds what is missing here',
      fix: `ferry escrow restore ${place.plan} --device ID creates what is missing, and leaves it muted`,
    }
  return {
    means: `no plan moves it, for nothing lists it${inTheWay(held)}`,
    fix: `in use: register id and EUIs again (POST /api/v3/applications/${place.application}/devices), then plan; else: ${deletion(held, place.application)}`,
  }
}

/** What the plan wants of an id on the target that holds a part. */
export interface Claim {
  readonly device: KnownDevice
  /** The EUIs that it will have there are those of what the target holds. */
  readonly sameEuis: boolean
}

/** A part of a device on the target: in the Identity Server, or an orphan. */
export const repairPartOnTarget = (held: Registration, claim: Claim | undefined, place: Place): Repair => {
  const remove = deletion(held, place.application)
  const stage = claim === undefined ? 'untouched' : targetStage(claim.device)
  if (stage === 'crossing')
    return {
      means: 'its crossing was begun and has not ended',
      fix: goesOn(claim?.device.selected === true, place),
    }
  if (stage !== 'untouched')
    return {
      means: `the target served it, and lost ${theNames(held.missing)} since; no apply writes its session again`,
      fix: `register it on ${theNames(held.missing)}: ferry escrow restore ${place.plan} --device ID --out FILE gives what it had (ID on the source); leave its counters as they are`,
    }
  if (claim === undefined || !claim.device.selected)
    return held.status === 'orphan'
      ? {
          means: `no device of the plan gets its id${inTheWay(held)}`,
          fix: `if it is not in use: ${remove}`,
        }
      : {
          means: 'no device of the plan gets its id, so it is not in the way by its id',
          fix: `register it on ${theNames(held.missing)}, or delete it: ${remove}`,
        }
  const { device, sameEuis } = claim
  if (!sameEuis)
    return {
      means: 'another device, with other EUIs, has the id that the plan wants',
      fix: `write another set.deviceId in an override, or delete it if it is not in use: ${remove}`,
    }
  if (device.intent.policy.adopt === 'partial')
    return {
      means: 'the plan completes it where its keys are those of the source (policy.adopt: partial)',
      fix: `ferry apply ${place.plan}; where keys differ: ${remove}`,
    }
  return {
    means: 'it blocks the device: it was registered here in part, by others',
    fix: `write policy.adopt: partial in an override for it, and the plan completes it where keys agree; or delete it: ${remove}`,
  }
}

/** A session that two servers hold in two ways, or in part. */
export const repairSession = (
  held: Registration,
  device: KnownDevice | undefined,
  side: 'source' | 'target',
): Repair => {
  const joins = held.activation === 'otaa'
  const setBoth = `set one session on both: PUT of session in ${registryNames([NS, AS])}`
  if (side === 'target')
    return {
      means: 'the target can not decrypt what it hears of it, or its downlinks are not understood',
      fix: joins
        ? 'run again after its next uplink; if it stays so, let it join again on the target'
        : setBoth,
    }
  if (device?.selected !== true)
    return {
      means: 'the plan leaves it out, so it stays as it is',
      fix: joins ? 'let it join again on the source' : setBoth,
    }
  if (joins && !device.intent.policy.persistSession)
    return {
      means: 'the plan has it join anew, so its session is not needed',
      fix: 'nothing for the migration; on the source: let it join again',
    }
  return {
    means: 'it can not cross with its session',
    fix: joins
      ? 'run again after its next uplink; if it stays so, write policy.persistSession: false in an override for it'
      : `${setBoth}; or exclude it`,
  }
}
