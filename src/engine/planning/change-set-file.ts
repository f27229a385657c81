import { createHash } from 'node:crypto'
import {
  ACTIONS,
  CHANGE_SET_FORMAT_VERSION,
  type ChangeSet,
  type DeviceChange,
  type FieldChange,
} from '../../domain/change-set.ts'
import { FerryError } from '../../domain/errors.ts'
import type { GatewayChange } from '../../domain/gateway.ts'
import type { Digest } from '../../domain/identifiers.ts'
import { canonicalJson, type Json, visibleJson } from '../../domain/json.ts'
import { remembered } from '../../domain/remembered.ts'

/** A change set without its digest: what the digest is over. */
export type UndigestedChangeSet = Omit<ChangeSet, 'digest'>

type Header = Omit<ChangeSet, 'digest' | 'devices'>

const line = (value: unknown): string => `${canonicalJson(value)}\n`

const headerLine = (changeSet: UndigestedChangeSet): string => {
  const { devices: _devices, digest: _digest, ...header } = changeSet as ChangeSet
  return line({ t: 'change-set', ...header })
}

const deviceLine = (device: DeviceChange): string => line({ t: 'device', ...device })

/** The same, of devices that we made ourselves: fields are the most of them, and shared (`compact.ts`). */
const ownDeviceLines = (): typeof deviceLine => {
  const fieldText = remembered((field: FieldChange) => canonicalJson(field))
  return (device) =>
    line({ t: 'device', ...device, fields: [] }).replace(
      '"fields":[]',
      () => `"fields":[${device.fields.map(fieldText).join(',')}]`,
    )
}

/** Header and device lines: all that is shown, which the checksum is over. */
function* bodyLines(changeSet: UndigestedChangeSet, lineOf = deviceLine): Generator<string> {
  yield headerLine(changeSet)
  for (const device of changeSet.devices) yield lineOf(device)
}

/**
 * What of a device people approve: where it goes, how, in which steps, and the digests of its root keys and
 * settings on both sides. No counter, no live value, not the session's identity: they move by themselves, and a
 * preview that depended on them would be stale when it is made.
 */
export const approvable = (change: DeviceChange): unknown => ({
  device: change.device,
  target: change.target,
  devEui: change.devEui,
  joinEui: change.joinEui,
  action: change.action,
  route: change.route,
  handover: change.handover,
  becomes: change.becomes,
  profile: change.profile,
  steps: change.steps,
  later: change.later,
  blockedBy: change.findings.filter((finding) => finding.severity === 'error').map((finding) => finding.code),
  expect:
    change.expect === undefined
      ? undefined
      : { rootKeys: change.expect.rootKeys, settings: change.expect.settings, target: change.expect.target },
})

const byGateway = (a: { readonly gateway: string }, b: { readonly gateway: string }): number =>
  a.gateway < b.gateway ? -1 : 1

/** Which devices a gateway has heard last moves by itself, and the order with it. */
const approvableGateway = ({ gateway, target, eui, action, settings, lnsKey, expect }: GatewayChange) => ({
  gateway,
  target,
  eui,
  action,
  settings,
  lnsKey,
  expect,
})

/**
 * The plan id that people approve: SHA-256 over plan, networks, state, policy, guards and what of each device is
 * approved. Paths and the tool's version are not part of it, so that two machines reach the same.
 */
export const changeSetDigest = (changeSet: UndigestedChangeSet): Digest => {
  const {
    plan,
    source,
    target,
    base,
    complete,
    policy,
    coverage,
    rollout,
    formatters,
    gateways,
    application,
  } = changeSet
  const hash = createHash('sha256')
  hash.update(
    line({
      plan: { name: plan.name, digest: plan.digest },
      source,
      target,
      base,
      complete,
      policy,
      coverage,
      rollout,
      formatters,
      application,
      gateways: gateways?.map(approvableGateway).sort(byGateway),
    }),
  )
  for (const device of changeSet.devices) hash.update(line(approvable(device)))
  return `sha256:${hash.digest('hex')}` as Digest
}

/** SHA-256 over header and device lines of the file, as `head -n -1 FILE | sha256sum` says: finds edits of what is shown. */
const checksumOf = (changeSet: UndigestedChangeSet): Digest => {
  const hash = createHash('sha256')
  for (const text of bodyLines(changeSet)) hash.update(text)
  return `sha256:${hash.digest('hex')}` as Digest
}

/** Gives a change set its digest. */
export const withDigest = (changeSet: UndigestedChangeSet): ChangeSet => ({
  ...changeSet,
  digest: changeSetDigest(changeSet),
})

/**
 * The saved form, line by line: header, one line a device in the order of the change set, trailer with the
 * number of devices, digest and checksum. JSON Lines, UTF-8, LF; equal change sets give equal bytes.
 */
export function* changeSetLines(changeSet: ChangeSet): Generator<string> {
  const hash = createHash('sha256')
  for (const text of bodyLines(changeSet, ownDeviceLines())) {
    hash.update(text)
    yield text
  }
  const checksum = `sha256:${hash.digest('hex')}`
  yield line({ t: 'end', devices: changeSet.devices.length, digest: changeSet.digest, checksum })
}

/** The saved form as one text. For large fleets write `changeSetLines` to the file instead. */
export const serialiseChangeSet = (changeSet: ChangeSet): string => [...changeSetLines(changeSet)].join('')

const HINT = 'make a new one with: ferry plan PLAN -o FILE'

const damaged = (message: string): FerryError =>
  new FerryError('stale', 'ChangeSetDamaged', message, { hint: HINT })

const parseLine = (text: string, number: number): Readonly<Record<string, unknown>> => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw damaged(`line ${number} of the change set is not JSON`)
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw damaged(`line ${number} of the change set is not a JSON object`)
  }
  return value as Readonly<Record<string, unknown>>
}

const LONGEST_SHOWN = 60

/** A value of the file as a message may show it: cut short, and never a whole tree. */
const shown = (value: unknown): string => {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  if (value === undefined) return 'none'
  const text = visibleJson(value as Json)
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN - 3)}...` : text
}

type Kind = 'string' | 'number' | 'boolean' | 'object' | 'array'

const kindOf = (value: unknown): string => (Array.isArray(value) ? 'array' : typeof value)

const requireFields = (
  record: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, Kind>>,
  where: string,
): void => {
  for (const [field, kind] of Object.entries(fields)) {
    const value = record[field]
    if (value === null || kindOf(value) !== kind) throw damaged(`${where} has no ${field} (${kind})`)
  }
}

const HEADER_FIELDS = {
  tool: 'string',
  plan: 'object',
  source: 'object',
  target: 'object',
  base: 'object',
  complete: 'boolean',
  findings: 'array',
  guards: 'array',
  policy: 'object',
  coverage: 'object',
  rollout: 'object',
  files: 'object',
  digestKey: 'string',
} as const

const DEVICE_FIELDS = {
  device: 'string',
  target: 'string',
  action: 'string',
  fields: 'array',
  steps: 'array',
  later: 'array',
  findings: 'array',
} as const

const parseHeader = (text: string): Header => {
  const { t, ...header } = parseLine(text, 1)
  if (t !== 'change-set') throw damaged('the file does not begin with the header of a change set')
  if (header['formatVersion'] !== CHANGE_SET_FORMAT_VERSION) {
    throw new FerryError(
      'stale',
      'ChangeSetVersionUnknown',
      `the change set has format version ${shown(header['formatVersion'])}, this ferry reads version ${CHANGE_SET_FORMAT_VERSION}`,
      { hint: HINT },
    )
  }
  requireFields(header, HEADER_FIELDS, 'the header of the change set')
  return header as unknown as Header
}

const parseDevice = (text: string, number: number): DeviceChange => {
  const { t, ...device } = parseLine(text, number)
  const where = `line ${number} of the change set`
  if (t !== 'device') throw damaged(`${where} is not a device`)
  requireFields(device, DEVICE_FIELDS, where)
  // what the digest looks into, before it does
  for (const finding of device['findings'] as readonly unknown[]) {
    if (kindOf(finding) !== 'object' || finding === null) throw damaged(`${where} has a finding that is none`)
  }
  if (device['expect'] !== undefined) requireFields(device, { expect: 'object' }, where)
  if (!ACTIONS.includes(device['action'] as DeviceChange['action'])) {
    throw damaged(`${where} has the unknown action ${shown(device['action'])}`)
  }
  return device as unknown as DeviceChange
}

/** The digest that people approve, and the checksum of the file. */
const sealOf = (changeSet: UndigestedChangeSet): { readonly digest: Digest; readonly checksum: Digest } => {
  try {
    return { digest: changeSetDigest(changeSet), checksum: checksumOf(changeSet) }
  } catch (cause) {
    // JSON is parsed to any depth and walked to that of the stack; ferry writes a handful of levels
    if (cause instanceof RangeError) throw damaged('the change set has values nested too deep')
    throw cause
  }
}

/**
 * Reads the saved form. Digest and checksum are computed anew from what was read, so what is checked is what is used;
 * line ends that a version control system has changed do no harm.
 *
 * @throws FerryError `stale`: `ChangeSetDamaged` (cut short, not a change set), `ChangeSetVersionUnknown`,
 * `ChangeSetEdited` (the digest is not that of the contents)
 */
export const parseChangeSet = (text: string): ChangeSet => {
  const lines = text.split('\n').map((each) => (each.endsWith('\r') ? each.slice(0, -1) : each))
  if (lines.at(-1) !== '') throw damaged('the change set is cut short: its last line has no end')
  lines.pop()
  const header = parseHeader(lines[0] ?? '')
  const trailer = lines.length > 1 ? parseLine(lines.at(-1) ?? '', lines.length) : {}
  if (trailer['t'] !== 'end')
    throw damaged('the change set is cut short: its last line, with the digest, is missing')
  const devices = lines.slice(1, -1).map((each, index) => parseDevice(each, index + 2))
  if (trailer['devices'] !== devices.length) {
    throw damaged(
      `the change set has lines for ${devices.length} devices and says ${shown(trailer['devices'])}`,
    )
  }
  const { digest, checksum } = sealOf({ ...header, devices })
  if (digest !== trailer['digest'] || checksum !== trailer['checksum']) {
    throw new FerryError(
      'stale',
      'ChangeSetEdited',
      'the contents of the change set do not have the digest and checksum it says: it was edited after it was made',
      { hint: HINT },
    )
  }
  return { ...header, devices, digest }
}
