import { createHash } from 'node:crypto'
import { type JournalRecord, STATE_FORMAT_VERSION } from '../domain/journal.ts'
import { digestOf } from '../domain/json.ts'
import type { NetworkIdentity } from '../domain/ports.ts'

/**
 * The state file is JSON Lines: a header, then one record a line, oldest first. The last member of every line is
 * `h`, a chain: the first 16 hex digits of SHA-256 over the `h` of the line before (nothing for the header) and
 * the bytes of the line without `,"h":"..."`. A changed, removed, added or moved line shows, with its number.
 */
export interface StateHeader {
  readonly t: 'header'
  readonly formatVersion: typeof STATE_FORMAT_VERSION
  /** `sha256:` and 64 hex digits over name, source and target of the plan: see `lineageOf`. */
  readonly lineage: string
  readonly name: string
  readonly source: NetworkIdentity
  readonly target: NetworkIdentity
  /** Records that a compaction took out, so that the serial goes on; absent for none. */
  readonly serialBase?: number
}

/** What names a state: the plan's name and both ends. */
export interface StateOwner {
  readonly name: string
  readonly source: NetworkIdentity
  readonly target: NetworkIdentity
}

const RECORD_KINDS: Readonly<Record<JournalRecord['t'], true>> = {
  open: true,
  begin: true,
  intent: true,
  outcome: true,
  fact: true,
  undone: true,
  close: true,
}

export const isRecordKind = (kind: unknown): kind is JournalRecord['t'] =>
  typeof kind === 'string' && Object.hasOwn(RECORD_KINDS, kind)

/**
 * SHA-256 of the plan's name, source and target: the same for a plan job and an apply job that never met, so a
 * state that does not exist yet has a lineage too.
 *
 * @example lineageOf({ name: 'building-a', source, target }) // 'sha256:5d41...'
 */
export const lineageOf = ({ name, source, target }: StateOwner): string =>
  digestOf({ name, source: plain(source), target: plain(target) })

/** The header of a new state file, with no more than the three fields of each end. */
export const headerOf = (lineage: string, owner: StateOwner, serialBase = 0): StateHeader => ({
  t: 'header',
  formatVersion: STATE_FORMAT_VERSION,
  lineage,
  name: owner.name,
  source: plain(owner.source),
  target: plain(owner.target),
  ...(serialBase === 0 ? {} : { serialBase }),
})

/** One line with its newline, and the hash that the next line builds on. */
const formatLine = (
  previous: string,
  content: StateHeader | JournalRecord,
): { readonly text: string; readonly hash: string } => {
  const body = JSON.stringify(content)
  const hash = chainHash(previous, Buffer.from(body))
  return { text: `${body.slice(0, -1)},"h":"${hash}"}\n`, hash }
}

/** A whole file, or the lines that go on after `previous`. */
export const formatLines = (
  previous: string,
  contents: readonly (StateHeader | JournalRecord)[],
): { readonly text: string; readonly hash: string } => {
  let hash = previous
  const lines = contents.map((content) => {
    const line = formatLine(hash, content)
    hash = line.hash
    return line.text
  })
  return { text: lines.join(''), hash }
}

/** `,"h":"` + 16 digits + `"}`. */
const TAIL_BYTES = 24

/**
 * Content of a line (without newline, without `h`) if its place in the chain is right, else undefined. Works on bytes: text
 * would let one damaged byte pass for another.
 */
export const parseLine = (
  previous: string,
  line: Uint8Array,
): { readonly content: object; readonly hash: string } | undefined => {
  const body = Buffer.from(line.subarray(0, -TAIL_BYTES))
  const tail = /^,"h":"([0-9a-f]{16})"\}$/.exec(Buffer.from(line.subarray(-TAIL_BYTES)).toString('latin1'))
  const hash = tail?.[1]
  if (hash === undefined || hash !== chainHash(previous, Buffer.concat([body, CLOSING_BRACE])))
    return undefined
  try {
    const content: unknown = JSON.parse(`${body.toString('utf8')}}`)
    return typeof content === 'object' && content !== null ? { content, hash } : undefined
  } catch {
    return undefined
  }
}

const CLOSING_BRACE = Buffer.from('}')

const chainHash = (previous: string, body: Uint8Array): string =>
  createHash('sha256').update(previous).update(body).digest('hex').slice(0, 16)

const plain = ({ network, host, application }: NetworkIdentity): NetworkIdentity => ({
  network,
  host,
  application,
})
