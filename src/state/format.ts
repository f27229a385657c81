import { hash } from 'node:crypto'
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
  const chained = chainHash(hashedBytes(previous, Buffer.from(body)))
  return { text: `${body.slice(0, -1)},"h":"${chained}"}\n`, hash: chained }
}

/** A whole file, or the lines that go on after `previous`. */
export const formatLines = (
  previous: string,
  contents: readonly (StateHeader | JournalRecord)[],
): { readonly text: string; readonly hash: string } => {
  let last = previous
  const lines = contents.map((content) => {
    const line = formatLine(last, content)
    last = line.hash
    return line.text
  })
  return { text: lines.join(''), hash: last }
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
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength)
  const end = Math.max(0, bytes.length - TAIL_BYTES)
  const tail = bytes.toString('latin1', end)
  const told = tail.slice(6, 22)
  if (!tail.startsWith(',"h":"') || !tail.endsWith('"}')) return undefined
  const hashed = hashedBytes(previous, bytes.subarray(0, end), '}')
  if (told !== chainHash(hashed)) return undefined
  try {
    const content: unknown = JSON.parse(hashed.toString('utf8', previous.length))
    return typeof content === 'object' && content !== null ? { content, hash: told } : undefined
  } catch {
    return undefined
  }
}

/** Lines are short: what is hashed is put together here, since hashing in one call takes half of the time. */
let scratch = Buffer.alloc(4096)

/**
 * What the hash of a line is taken of; to be used before the next call.
 * @param rest what follows the body, so that it need not be copied to be longer
 */
const hashedBytes = (previous: string, body: Uint8Array, rest = ''): Buffer => {
  const size = previous.length + body.length + rest.length
  if (scratch.length < size) scratch = Buffer.alloc(2 * size)
  scratch.write(previous, 0, 'latin1')
  scratch.set(body, previous.length)
  scratch.write(rest, previous.length + body.length, 'latin1')
  return scratch.subarray(0, size)
}

const chainHash = (bytes: Buffer): string => hash('sha256', bytes, 'hex').slice(0, 16)

const plain = ({ network, host, application }: NetworkIdentity): NetworkIdentity => ({
  network,
  host,
  application,
})
