import type { Action, DeviceChange, DeviceProfile, FieldChange, FieldReason } from '../domain/change-set.ts'
import type { Activation, Registry } from '../domain/device.ts'
import type { Route, StepName } from '../domain/journal.ts'
import type { NetworkIdentity } from '../domain/ports.ts'
import { harmless } from './escape.ts'
import type { Tone } from './layout.ts'

/** Words and numbers as people say them; the one place, so that all renderings say the same. */

/** `12480` as `12,480`. */
export const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',')

/** `1 device`, `2 devices`. */
export const devices = (value: number): string => `${count(value)} device${value === 1 ? '' : 's'}`

export const plural = (value: number, one: string, many: string): string => (value === 1 ? one : many)

/** A share of 0 to 1 as `5 %` or `2.4 %`. */
export const percent = (share: number): string => `${Number((share * 100).toFixed(1))} %`

/** Milliseconds in words, at most two units: `41 s`, `12 min`, `1 h 5 min`, `7 days`. */
export const duration = (milliseconds: number): string => {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  const days = Math.floor(hours / 24)
  return hours % 24 === 0 || days >= 7 ? `${days} days` : `${days} days ${hours % 24} h`
}

/** The first 12 digits of a digest: enough to tell two plans apart by eye. */
export const shortDigest = (digest: string): string => digest.replace(/^sha256:/, '').slice(0, 12)

export const networkName = (network: NetworkIdentity): string =>
  network.network === 'file'
    ? `the file ${harmless(network.application)}`
    : `${harmless(network.application)} on ${harmless(network.host)}`

interface ActionWords {
  readonly symbol: string
  readonly tone?: Tone
  /** Completes "8,190 to ...". */
  readonly short: string
  readonly means: string
}

export const ACTION_WORDS: Readonly<Record<Action, ActionWords>> = {
  create: { symbol: '+', tone: 'green', short: 'create', means: 'not on the target yet' },
  resume: { symbol: '>', tone: 'yellow', short: 'resume', means: 'a crossing was begun and goes on' },
  update: { symbol: '~', tone: 'yellow', short: 'update', means: 'on the target, fields differ' },
  adopt: { symbol: '=', short: 'adopt', means: 'on the target and equal: recorded, nothing is sent' },
  retire: {
    symbol: '-',
    tone: 'red',
    short: 'retire',
    means: 'heard on the target: steps on the source are due',
  },
  wait: { symbol: '.', short: 'wait', means: 'until it is heard or its time has come' },
  done: { symbol: '=', short: 'done', means: 'nothing is left to do' },
  blocked: { symbol: '!', tone: 'red', short: 'blocked', means: 'left alone until a person acts' },
  excluded: { symbol: 'x', short: 'excluded', means: 'left out by the plan' },
  gone: {
    symbol: '?',
    tone: 'yellow',
    short: 'gone',
    means: 'known from an earlier run, not on the source any more',
  },
}

export const ROUTE_WORDS: Readonly<Record<Route, string>> = {
  'session-kept': 'session kept',
  'joining-anew': 'joins anew',
  'joining-triggered': 'told to join anew',
  'abp-kept': 'ABP kept',
  'abp-reset': 'ABP kept, counters reset',
  'otaa-reprogrammed': 're-programmed as OTAA',
  'abp-reprogrammed': 're-programmed as ABP',
  multicast: 'multicast group',
}

/** Said where the handover is another than stop-first. */
export const HANDOVER_WORDS: Readonly<Record<NonNullable<DeviceChange['handover']>, string>> = {
  'delete-first': 'source deleted first',
}

const ACTIVATION_WORDS: Readonly<Record<Activation, string>> = {
  otaa: 'OTAA',
  abp: 'ABP',
  multicast: 'multicast',
}

/** `MAC_V1_0_3` as `1.0.3`, `PHY_V1_0_3_REV_A` as `1.0.3-A`, `RP002_V1_0_1` as `RP002 1.0.1`. */
const version = (name: string): string =>
  harmless(name)
    .replace(/^(MAC|PHY)_/, '')
    .replace(/_REV_/, '-')
    .replace(/^V/, '')
    .replace(/_V(?=\d)/, ' ')
    .replaceAll('_', '.')

/** `OTAA class A, EU_863_870_TTN, LoRaWAN 1.0.3 (PHY 1.0.3-A)` */
export const profileWords = (profile: DeviceProfile): string =>
  [
    `${ACTIVATION_WORDS[profile.activation]} class ${profile.class}`,
    profile.frequencyPlan === '' ? 'no frequency plan' : harmless(profile.frequencyPlan),
    `LoRaWAN ${version(profile.lorawanVersion)} (PHY ${version(profile.lorawanPhyVersion)})`,
  ].join(', ')

export const REGISTRY_SHORT: Readonly<Record<Registry, string>> = {
  'identity-server': 'IS',
  'join-server': 'JS',
  'network-server': 'NS',
  'application-server': 'AS',
}

const REASON_WORDS: Readonly<Record<FieldReason, string>> = {
  create: '',
  'source-changed': 'the source changed',
  'target-drifted': 'was changed on the target',
  plan: 'the plan says so',
  'not-known-before': 'not known to the state before',
  equal: '',
  'server-default': "the target's default",
  'server-owned': 'the target sets it',
  'not-carried': 'not carried',
  'session-is-alive': 'the session is alive on the target',
}

/** Why a field becomes what it becomes; empty where there is nothing to say. */
export const reasonWords = (change: FieldChange): string =>
  [REASON_WORDS[change.reason], change.because ?? '']
    .filter(
      (part, index) =>
        part !== '' && !(index === 0 && change.reason === 'plan' && change.because !== undefined),
    )
    .map(harmless)
    .join(': ')

const STEP_WORDS: Readonly<Record<StepName, string>> = {
  escrow: 'escrow the full record',
  credentials: 'make new credentials (encrypted, in the escrow)',
  'check-import': 'check that the escrow decrypts and the target has room',
  'create-identity': 'IS',
  'set-join': 'JS',
  'set-application': 'AS',
  'set-network': 'NS',
  compare: 'read back and compare',
  'stop-source': 'stop the source',
  'clear-source': 'clear the keys on the source',
  'confirm-handover': 'wait until you confirm that it is stopped where it is served',
  'read-again': 'read the source again, escrow it',
  'check-escrow': 'decrypt that record and compare it',
  'queue-empty': "see the source's downlink queue empty",
  'final-network': 'NS',
  'final-start-time': 'session start',
  'final-join': 'JS nonces',
  'final-application': 'AS',
  'copy-downlinks': 'copy queued downlinks',
  'unmute-target': 'unmute the target',
  'queue-trigger': 'queue a downlink on the source that makes it join',
  'trigger-sent': 'see the downlink sent',
  hear: 'heard',
  'end-reset': 'take resets_f_cnt back',
  'prevent-rejoin': 'replace root keys on the source',
  'delete-application': 'AS',
  'delete-network': 'NS',
  'delete-join': 'JS',
  'delete-identity': 'IS',
  'restore-identity': 'IS',
  'restore-join': 'JS',
  'restore-application': 'AS',
  'restore-network': 'NS',
  'start-source': 'start the source again',
  'mute-target': 'mute the target',
  'read-target': 'read the target, escrow it',
  'return-join': 'JS',
  'return-application': 'AS',
  'return-network': 'NS',
  'put-back': 'put the device back on the source',
  'undo-application': 'AS',
  'undo-network': 'NS',
  'undo-join': 'JS',
  'undo-identity': 'IS',
  'update-identity': 'IS',
  'update-join': 'JS',
  'update-application': 'AS',
  'update-network': 'NS',
}

const STEP_FAMILY: readonly (readonly [RegExp, string])[] = [
  [/^(create|set)-/, 'create on the target'],
  [/^final-/, 'final write'],
  [/^delete-/, 'delete on the source'],
  [/^undo-/, 'take back on the target'],
  [/^restore-/, 'give back to the source'],
  [/^return-/, 'give back to the source'],
  [/^update-/, 'update'],
]

const familyOf = (step: StepName): string | undefined =>
  STEP_FAMILY.find(([pattern]) => pattern.test(step))?.[1]

/** Steps as one sentence: `escrow the full record, create on the target [IS, JS, AS, NS (muted)], ...`. */
export const stepsWords = (steps: readonly StepName[], staysMuted = false): string => {
  // What is unmuted later was created muted; a multicast group can not be.
  const isMuted = steps.includes('unmute-target')
  const wordsOf = (step: StepName): string => {
    if (step === 'set-network' && isMuted) return `${STEP_WORDS[step]} (muted)`
    return step === 'unmute-target' && staysMuted ? 'leave the target muted' : STEP_WORDS[step]
  }
  const parts: { family: string | undefined; words: string[] }[] = []
  for (const step of steps) {
    const family = familyOf(step)
    const last = parts.at(-1)
    if (family !== undefined && last?.family === family) last.words.push(wordsOf(step))
    else parts.push({ family, words: [wordsOf(step)] })
  }
  return parts
    .map(({ family, words }) => (family === undefined ? words.join(', ') : `${family} [${words.join(', ')}]`))
    .join(', ')
}
