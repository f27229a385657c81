import { FerryError } from '../domain/errors.ts'
import { type JournalRecord, STATE_FORMAT_VERSION } from '../domain/journal.ts'
import { digestOfText } from '../domain/json.ts'
import { headerOf, isRecordKind, type StateHeader, type StateOwner } from '../state/format.ts'

/** The compacted state as it lies at an address. */
export interface PostedState {
  readonly owner: StateOwner
  readonly lineage: string
  /** Records since the state began, those that were compacted away included; each post has a higher one. */
  readonly serial: number
  /** Oldest first. */
  readonly records: readonly JournalRecord[]
}

const KIND = 'ferry-state'

/**
 * One JSON document; `serial` and `lineage` are called as in a state of Terraform, since servers look at them (GitLab keeps
 * one version for each serial). `digest` is over the JSON of the records without blanks: a server may lay it out in its own way.
 */
export const formatPosted = ({ owner, lineage, serial, records }: PostedState): Buffer => {
  const head = { kind: KIND, formatVersion: STATE_FORMAT_VERSION, serial, lineage, ...owner }
  const text = JSON.stringify(records)
  return Buffer.from(
    `${JSON.stringify({ ...head, digest: digestOfText(text) }).slice(0, -1)},"records":${text}}`,
  )
}

/**
 * @param place for messages
 * @throws FerryError kind `stale`: `StateDamaged`, `StateVersionUnknown`, `StateOfAnotherPlan`
 */
export const parsePosted = (bytes: Uint8Array, lineage: string, place: string): PostedState => {
  const document = objectIn(bytes)
  if (document?.['kind'] !== KIND) throw damaged(place, 'is no state of ferry')
  const { formatVersion, serial, name, source, target, digest, records } = document
  if (formatVersion !== STATE_FORMAT_VERSION) {
    throw new FerryError(
      'stale',
      'StateVersionUnknown',
      `the state at ${place} has another format version than ${STATE_FORMAT_VERSION}, which this ferry reads`,
      { hint: 'use the version of ferry that wrote it, or a newer one' },
    )
  }
  if (document['lineage'] !== lineage) {
    throw new FerryError('stale', 'StateOfAnotherPlan', `the state at ${place} belongs to another plan`, {
      hint: 'set the name, source and target that it was begun with, or give the plan an address of its own',
    })
  }
  if (
    typeof serial !== 'number' ||
    !Array.isArray(records) ||
    digestOfText(JSON.stringify(records)) !== digest ||
    !records.every(isRecord)
  ) {
    throw damaged(place, 'is damaged')
  }
  const owner = { name, source, target } as StateOwner
  return { owner, lineage, serial, records }
}

/** The header of a state file with these records. */
export const headerOfPosted = ({ lineage, owner, serial, records }: PostedState): StateHeader =>
  headerOf(lineage, owner, serial - records.length)

/** The JSON object that an answer holds; undefined for anything else. */
export const objectIn = (bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

const isRecord = (value: unknown): value is JournalRecord =>
  typeof value === 'object' && value !== null && 't' in value && isRecordKind(value.t)

const damaged = (place: string, what: string): FerryError =>
  new FerryError('stale', 'StateDamaged', `the state at ${place} ${what}`, {
    hint: 'restore an earlier version of it on that server; without one, the state file of the machine that ran last',
  })
