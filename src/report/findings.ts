import type { ChangeSet, DeviceChange } from '../domain/change-set.ts'
import type { Diagnostic } from '../domain/diagnostic.ts'
import { isAwaited } from './crossing.ts'
import { TOLD_BY_HANDS } from './hands.ts'

/** Findings with one code and severity, told once: with how many devices have it and the first, median and last of them. */
export interface FindingGroup {
  readonly code: string
  readonly severity: Diagnostic['severity']
  /** 0 where it is about the plan as a whole. */
  readonly devices: number
  readonly message: string
  /** Whether each device has a message of its own; `message` is then the first one's. */
  readonly differs: boolean
  readonly hint?: string
  readonly examples: readonly string[]
}

/** First, median and last of a sorted list. */
export const examplesOf = <T>(list: readonly T[]): readonly T[] =>
  list.length <= 3
    ? list
    : [0, Math.floor((list.length - 1) / 2), list.length - 1].flatMap((at) => list.slice(at, at + 1))

/** `meter-17 (70B3D57E00000011)` */
const deviceName = (device: Pick<DeviceChange, 'device' | 'devEui'>): string =>
  device.devEui === undefined ? device.device : `${device.device} (${device.devEui})`

interface Entry {
  readonly finding: Diagnostic
  readonly device: DeviceChange | undefined
}

const SEVERITIES: readonly Diagnostic['severity'][] = ['error', 'warning', 'note']

const byCode = (entries: readonly Entry[]): readonly FindingGroup[] => {
  const codes = new Map<string, Entry[]>()
  for (const entry of entries) {
    const { code, severity, message } = entry.finding
    // Findings about the whole keep their own messages apart: there is no device to tell them by.
    const key = `${code} ${entry.device === undefined ? message : severity}`
    const list = codes.get(key)
    if (list === undefined) codes.set(key, [entry])
    else list.push(entry)
  }
  return [...codes.values()]
    .map((list): FindingGroup => {
      const { code, severity, message, hint } = (list[0] as Entry).finding
      const concerned = [...new Set(list.flatMap(({ device }) => (device === undefined ? [] : [device])))]
      return {
        code,
        severity,
        devices: concerned.length,
        message,
        differs: list.some((entry) => entry.finding.message !== message),
        ...(hint === undefined ? {} : { hint }),
        examples: examplesOf(concerned).map(deviceName),
      }
    })
    .sort(
      (a, b) =>
        SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
        b.devices - a.devices ||
        (a.code < b.code ? -1 : a.code > b.code ? 1 : 0),
    )
}

const entriesOf = (
  devices: readonly DeviceChange[],
  severities: readonly Diagnostic['severity'][],
): readonly Entry[] =>
  devices.flatMap((device) =>
    device.findings
      .filter((finding) => severities.includes(finding.severity))
      .map((finding) => ({ finding, device })),
  )

const unexplained = (devices: readonly DeviceChange[], code: string, message: string): readonly Entry[] =>
  devices
    .filter((device) => device.findings.length === 0)
    .map((device) => ({ finding: { code, severity: 'note', message }, device }))

const withAction = (changeSet: ChangeSet, action: DeviceChange['action']): readonly DeviceChange[] =>
  changeSet.devices.filter((device) => device.action === action)

/** Why devices are blocked, by code: errors, or whatever a blocked device has. */
export const blockedFindings = (changeSet: ChangeSet): readonly FindingGroup[] => {
  const blocked = withAction(changeSet, 'blocked')
  const without = blocked.filter((device) => !device.findings.some((finding) => finding.severity === 'error'))
  return byCode([
    ...entriesOf(blocked, ['error']),
    ...entriesOf(without, ['warning', 'note']),
    ...unexplained(blocked, 'Blocked', 'blocked'),
  ])
}

export const excludedFindings = (changeSet: ChangeSet): readonly FindingGroup[] => {
  const excluded = withAction(changeSet, 'excluded')
  return byCode([
    ...entriesOf(excluded, SEVERITIES),
    ...unexplained(excluded, 'Excluded', 'not selected by the plan'),
  ])
}

export const goneFindings = (changeSet: ChangeSet): readonly FindingGroup[] => {
  const gone = withAction(changeSet, 'gone')
  return byCode([
    ...entriesOf(gone, SEVERITIES),
    ...unexplained(gone, 'Gone', 'known to the state, not on the source any more'),
  ])
}

/** Errors about the plan as a whole: with one of these nothing is applied. */
export const wholeErrors = (changeSet: ChangeSet): readonly FindingGroup[] =>
  byCode(
    changeSet.findings
      .filter((finding) => finding.severity === 'error')
      .map((finding) => ({ finding, device: undefined })),
  )

/** Warnings and notes: about the whole, and about devices that something is done with, without what asks for a hand. */
export const toldFindings = (changeSet: ChangeSet): readonly FindingGroup[] => {
  const touched = changeSet.devices.filter(
    (device) => !['blocked', 'excluded', 'gone'].includes(device.action),
  )
  return byCode([
    ...changeSet.findings
      .filter((finding) => finding.severity !== 'error')
      .map((finding) => ({ finding, device: undefined })),
    ...entriesOf(touched, ['warning', 'note']).filter(
      ({ finding, device }) =>
        !(TOLD_BY_HANDS.includes(finding.code) && device !== undefined && isAwaited(device)),
    ),
  ])
}

/** Fields that the source has and the target will not get, with one rule behind. */
export interface LeftBehind {
  readonly because: string
  readonly paths: readonly string[]
  readonly devices: number
}

export const leftBehind = (changeSet: ChangeSet): readonly LeftBehind[] => {
  const rules = new Map<string, { paths: Set<string>; devices: Set<DeviceChange> }>()
  for (const device of changeSet.devices) {
    for (const change of device.fields) {
      if (change.reason !== 'not-carried') continue
      const because = change.because ?? 'not carried'
      const rule = rules.get(because) ?? { paths: new Set(), devices: new Set() }
      rule.paths.add(change.path)
      rule.devices.add(device)
      rules.set(because, rule)
    }
  }
  return [...rules]
    .map(([because, rule]) => ({ because, paths: [...rule.paths].sort(), devices: rule.devices.size }))
    .sort((a, b) => b.devices - a.devices || (a.because < b.because ? -1 : 1))
}
