import type { ChangeSet, DeviceChange } from '../domain/change-set.ts'
import { FerryError } from '../domain/errors.ts'
import { parseDevEui } from '../domain/identifiers.ts'
import { changesOf, euiWords } from './becomes.ts'
import { staysMuted } from './crossing.ts'
import { harmless, harmlessJson, markdownFence } from './escape.ts'
import { FULL } from './field-view.ts'
import { type ChangeGroup, groupChanges } from './groups.ts'
import { deviceJson, groupJson, JSON_FORMAT_VERSION } from './json.ts'
import { blank, type Line, line, renderLines } from './layout.ts'
import { riskIdsOf } from './risks.ts'
import { type TextOptions, textOptions } from './text.ts'
import { fieldLines, groupLines, WHOLE } from './text-groups.ts'
import { heading } from './text-head.ts'
import { displayWidth } from './width.ts'
import { ACTION_WORDS, HANDOVER_WORDS, profileWords, ROUTE_WORDS, stepsWords } from './words.ts'

export interface ShowOptions extends TextOptions {
  readonly format?: 'text' | 'markdown' | 'json'
}

const findGroup = (changeSet: ChangeSet, id: string): ChangeGroup => {
  const groups = groupChanges(changeSet)
  const group = groups.find((each) => each.id === id.trim().toUpperCase())
  if (group !== undefined) return group
  throw new FerryError(
    'usage',
    'GroupUnknown',
    `the change set has no group ${JSON.stringify(harmless(id))}`,
    {
      hint: groups.length === 0 ? 'it has no groups at all' : `it has G1 to G${groups.length}`,
    },
  )
}

const findDevice = (changeSet: ChangeSet, name: string): DeviceChange => {
  const devEui = parseDevEui(name)
  const found =
    changeSet.devices.find((device) => device.device === name) ??
    changeSet.devices.find((device) => devEui !== undefined && device.devEui === devEui) ??
    changeSet.devices.find((device) => device.target === name)
  if (found !== undefined) return found
  const near = changeSet.devices
    .filter(
      (device) => device.device.includes(name.toLowerCase()) || device.devEui?.includes(name.toUpperCase()),
    )
    .slice(0, 3)
  throw new FerryError(
    'usage',
    'DeviceUnknown',
    `the change set has no device ${JSON.stringify(harmless(name))}`,
    {
      hint:
        near.length === 0
          ? 'give a device id of the source or of the target, or a DevEUI'
          : `near to it: ${near.map((device) => harmless(device.device)).join(', ')}`,
    },
  )
}

/** Text as the format asks; Markdown is the text in a fence. */
const inFormat = (lines: readonly Line[], options: ShowOptions): string => {
  const { width, style } = textOptions(options)
  if (options.format !== 'markdown') return renderLines(lines, width, style)
  const text = renderLines(lines, 100, textOptions({}).style)
  return `${markdownFence(text.trimEnd().split('\n'), 'text').join('\n')}\n`
}

const document = (kind: string, changeSet: ChangeSet, content: object): string =>
  `${harmlessJson({ format_version: JSON_FORMAT_VERSION, kind, digest: changeSet.digest, ...content })}\n`

/**
 * One group with all its fields and devices.
 *
 * @throws FerryError `usage` `GroupUnknown`
 */
export const renderGroup = (changeSet: ChangeSet, id: string, options: ShowOptions = {}): string => {
  const group = findGroup(changeSet, id)
  if (options.format === 'json') {
    return document('group', changeSet, {
      ...groupJson(group),
      devices: group.devices.map((device) => deviceJson(device, group.id)),
    })
  }
  const { width, file } = textOptions(options)
  return inFormat(groupLines(group, { ...WHOLE, width, file }), options)
}

const fieldsByVerdict = (device: DeviceChange, width: number): readonly Line[] => {
  const changes = changesOf(device)
  const sections = [
    ['Changes', changes.filter((change) => change.verdict === 'write')],
    [
      'Not carried',
      changes.filter((change) => change.verdict === 'leave' && change.reason === 'not-carried'),
    ],
    ['Unchanged', changes.filter((change) => change.verdict === 'leave' && change.reason !== 'not-carried')],
  ] as const
  return sections.flatMap(([title, fields]) => {
    if (fields.length === 0) return []
    const column = Math.min(
      Math.max(...fields.map((change) => displayWidth(harmless(change.path)) + 3)),
      Math.floor(width / 2),
    )
    return [
      ...heading(`${title}: ${fields.length}`),
      ...fields.flatMap((change) => fieldLines(change, undefined, column, { width, detail: FULL })),
    ]
  })
}

/**
 * One device, by its id on the source or the target or its DevEUI in any spelling, with everything about it.
 *
 * @throws FerryError `usage` `DeviceUnknown`
 */
export const renderDevice = (changeSet: ChangeSet, name: string, options: ShowOptions = {}): string => {
  const device = findDevice(changeSet, name)
  const group = groupChanges(changeSet).find((each) => each.devices.includes(device))?.id
  if (options.format === 'json')
    return document('device', changeSet, { ...(deviceJson(device, group) as object) })
  const { symbol, short, means } = ACTION_WORDS[device.action]
  const risks = riskIdsOf(device)
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['on target', device.target === device.device ? undefined : harmless(device.target)],
    ['DevEUI', euiWords(device.devEui, device.becomes?.devEui)],
    ['JoinEUI', euiWords(device.joinEui, device.becomes?.joinEui)],
    ['action', `${symbol} ${short}: ${means}${group === undefined ? '' : ` (${group})`}`],
    ['status', device.status === undefined ? undefined : harmless(device.status)],
    ['route', device.route === undefined ? undefined : ROUTE_WORDS[device.route]],
    ['handover', device.handover === undefined ? undefined : HANDOVER_WORDS[device.handover]],
    ['profile', device.profile === undefined ? undefined : profileWords(device.profile)],
    ['risks', risks.length === 0 ? undefined : risks.join(' ')],
    ['now', device.steps.length === 0 ? undefined : stepsWords(device.steps, staysMuted(device))],
    ['later', device.later.length === 0 ? undefined : stepsWords(device.later, staysMuted(device))],
  ]
  return inFormat(
    [
      line(2, ['bold', harmless(device.device)]),
      ...rows.flatMap(([label, text]) =>
        text === undefined ? [] : [line(13, `  ${label.padEnd(9)}  ${text}`)],
      ),
      ...(device.findings.length === 0 ? [] : heading('Findings')),
      ...device.findings.flatMap((finding) => [
        line(4, `  ${finding.severity} ${harmless(finding.code)}: ${harmless(finding.message)}`),
        ...(finding.hint === undefined ? [] : [line(9, `    fix: ${harmless(finding.hint)}`)]),
      ]),
      ...fieldsByVerdict(device, textOptions(options).width),
      blank,
      line(8, 'digest  ', changeSet.digest),
    ],
    options,
  )
}
