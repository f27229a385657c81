import type { Action, DeviceChange, FieldChange } from '../domain/change-set.ts'
import { devEuiWords } from './becomes.ts'
import { staysMuted } from './crossing.ts'
import { harmless, shellWord } from './escape.ts'
import { BRIEF, type Detail, FULL, fieldView, MOVING_WORDS } from './field-view.ts'
import type { ChangeGroup, Range, VaryingField } from './groups.ts'
import { type Line, line, type Span } from './layout.ts'
import { riskIdsOf } from './risks.ts'
import { sensitivityOf } from './shown.ts'
import { cut, displayWidth, padEnd } from './width.ts'
import {
  ACTION_WORDS,
  count,
  devices,
  HANDOVER_WORDS,
  plural,
  profileWords,
  REGISTRY_SHORT,
  ROUTE_WORDS,
  stepsWords,
} from './words.ts'

/** How much of a group is written. */
export interface GroupOptions {
  readonly width: number
  readonly fields: number
  readonly devices: number
  readonly detail: Detail
  /** For the hint where to see the rest. */
  readonly file: string
  /** Another group with the same steps, where they are told already. */
  readonly stepsAs?: string | undefined
}

export const OVERVIEW = { fields: 10, devices: 20, detail: BRIEF } as const
export const WHOLE = {
  fields: Number.POSITIVE_INFINITY,
  devices: Number.POSITIVE_INFINITY,
  detail: FULL,
} as const

/** `create, joins anew, OTAA class A, EU_863_870_TTN, LoRaWAN 1.0.3 (PHY 1.0.3-A)` */
export const groupTitle = (group: ChangeGroup): string =>
  [
    ACTION_WORDS[group.action].short,
    ...(group.status === undefined ? [] : [harmless(group.status)]),
    ...(group.route === undefined ? [] : [ROUTE_WORDS[group.route]]),
    ...(group.handover === undefined ? [] : [HANDOVER_WORDS[group.handover]]),
    ...(group.profile === undefined ? [] : [profileWords(group.profile)]),
  ].join(', ')

const RANKS: readonly ((change: FieldChange) => boolean)[] = [
  (change) => change.path.startsWith('ids.'),
  (change) =>
    change.because?.startsWith('policy.') === true || change.because?.startsWith('override') === true,
  (change) => sensitivityOf(change) !== undefined || 'generated' in change.after,
  (change) => change.path.startsWith('mac_settings.'),
  (change) => /^(session\.(dev_addr|last_)|mac_state|formatters)/.test(change.path),
  (change) => change.path === 'name',
  (change) => !IN_TITLE.test(change.path),
]

/** Told by the profile in the group's title already. */
const IN_TITLE = /^(frequency_plan_id|lorawan_(phy_)?version|supports_(join|class_[bc]))$/

const rank = (change: FieldChange): number => {
  const found = RANKS.findIndex((matches) => matches(change))
  return found === -1 ? RANKS.length : found
}

type Entry = { readonly change: FieldChange; readonly varying: VaryingField | undefined }

/** The fields of a group, what decides first. */
export const rankedFields = (group: ChangeGroup): readonly Entry[] =>
  [
    ...group.common.map((change): Entry => ({ change, varying: undefined })),
    ...group.varying.map((varying): Entry => ({ change: varying.example, varying })),
  ].sort((a, b) => rank(a.change) - rank(b.change))

export const varyingWords = (varying: VaryingField, size: number): string =>
  [
    ...(varying.distinct > 1 ? [`${count(varying.distinct)} different`] : []),
    ...(varying.devices < size ? [`in ${count(varying.devices)} of ${count(size)}`] : []),
  ].join(', ')

const TONE_OF = { '+': 'green', '~': 'yellow', '-': 'red' } as const

const symbolSpan = (symbol: string): Span =>
  symbol in TONE_OF ? [TONE_OF[symbol as keyof typeof TONE_OF], symbol] : symbol

/** One field in lines: registry, path, values, reason; then the diff of long values. */
export const fieldLines = (
  change: FieldChange,
  varying: { readonly isExample: boolean; readonly note: string } | undefined,
  column: number,
  options: Pick<GroupOptions, 'detail' | 'width'>,
): readonly Line[] => {
  const view = fieldView(change, options.detail)
  const path = `${REGISTRY_SHORT[view.registry]} ${view.path}`
  const remarks = [view.reason, varying?.note ?? ''].filter((part) => part !== '').join('; ')
  const indent = 7
  const hang = options.width - (indent + column + 2) < 30 ? indent + 4 : indent + column + 2
  return [
    line(
      hang,
      '     ',
      symbolSpan(view.symbol),
      ` ${padEnd(path, column)}  ${varying?.isExample === true ? 'e.g. ' : ''}${view.text}`,
      ...(remarks === '' ? [] : ([['dim', `  (${remarks})`]] as const)),
    ),
    ...view.block.map((text) => line(13, '         ', symbolSpan(text.slice(0, 1)), text.slice(1))),
  ]
}

const rangeWords = ([least, most]: Range, word: string): string =>
  most === 0 ? '' : least === most ? `${count(most)} ${word}` : `${count(least)} to ${count(most)} ${word}`

/** Fields that are told together in the overview: keys that stay the device's own, and what moves by itself. */
const togetherOf = ({ change }: Entry): string | undefined => {
  if (sensitivityOf(change) === 'same' && change.verdict === 'write') return 'keys (sensitive, same)'
  return 'moving' in change.after ? `counters and state ${MOVING_WORDS}` : undefined
}

const togetherLines = (entries: readonly Entry[]): readonly Line[] => {
  const sets = new Map<string, readonly FieldChange[]>()
  for (const entry of entries) {
    const words = togetherOf(entry)
    if (words !== undefined) sets.set(words, [...(sets.get(words) ?? []), entry.change])
  }
  return [...sets].map(([words, changes]) => {
    const paths = [...new Set(changes.map((change) => harmless(change.path.replace(/\.key$/, ''))))]
    const [first] = changes
    const symbol = first === undefined ? '+' : fieldView(first).symbol
    return line(9, '     ', symbolSpan(symbol), ` ${words}: `, ['dim', paths.join(', ')])
  })
}

const fieldsPart = (group: ChangeGroup, options: GroupOptions): readonly Line[] => {
  const all = rankedFields(group)
  const together = Number.isFinite(options.fields)
    ? all.filter((entry) => togetherOf(entry) !== undefined)
    : []
  const ranked = all.filter((entry) => !together.includes(entry))
  const shown = ranked.slice(0, options.fields)
  const rest = ranked.length - shown.length
  const widths = shown.map(({ change }) => displayWidth(change.path) + 3)
  const column = Math.min(Math.max(0, ...widths), Math.floor(options.width * 0.5))
  const tail = [
    rest > 0 ? `${count(rest)} more ${plural(rest, 'field', 'fields')}` : '',
    rangeWords(group.unchanged, 'unchanged'),
    rangeWords(group.leftBehind, 'not carried'),
  ].filter((part) => part !== '')
  return [
    ...shown.flatMap(({ change, varying }) =>
      fieldLines(
        change,
        varying === undefined
          ? undefined
          : { isExample: varying.distinct > 1, note: varyingWords(varying, group.devices.length) },
        column,
        options,
      ),
    ),
    ...togetherLines(together),
    ...(tail.length === 0 ? [] : [line(7, '       ', ['dim', `(${tail.join(', ')})`])]),
  ]
}

const stepsPart = (group: ChangeGroup, stepsAs: string | undefined): readonly Line[] => {
  const { steps, later } = group
  if (stepsAs !== undefined) return [line(12, '     steps  ', ['dim', `as ${stepsAs}`])]
  if (steps === undefined || later === undefined) {
    return [line(12, '     steps  ', ['dim', 'differ by device'])]
  }
  return [
    ...(steps.length === 0 ? [] : [line(12, '     now    ', ['dim', stepsWords(steps, staysMuted(group))])]),
    ...(later.length === 0 ? [] : [line(12, '     later  ', ['dim', stepsWords(later, staysMuted(group))])]),
  ]
}

/** What tells this device from the others of its group: the first fields that vary. */
const peculiar = (device: DeviceChange, group: ChangeGroup): string => {
  const paths = rankedFields(group).flatMap(({ change, varying }) =>
    varying !== undefined && varying.distinct > 1 && change.path !== 'ids.dev_eui' ? [change] : [],
  )
  const preferred = [...paths]
    .sort((a, b) => Number(b.path === 'name') - Number(a.path === 'name'))
    .slice(0, 2)
  return preferred
    .flatMap(({ registry, path }) =>
      device.fields.filter((own) => own.registry === registry && own.path === path),
    )
    .map((own) => {
      const { text } = fieldView(own)
      return `${path(own)} ${text}`
    })
    .join(', ')
}

const path = (change: FieldChange): string => harmless(change.path)

/** One device in one line, cut where the line ends: DevEUI, id, id on the target, and what is peculiar to it. */
const deviceLine = (device: DeviceChange, group: ChangeGroup, idWidth: number, width: number): Line => {
  const renamed = device.target === device.device ? '' : ` -> ${harmless(device.target)}`
  const id = `${harmless(device.device)}${renamed}`
  const own = peculiar(device, group)
  const text = `${padEnd(devEuiWords(device), 16)}  ${own === '' ? id : `${padEnd(id, idWidth)}  ${own}`}`
  return line(7, '     ', cut(text, width - 5))
}

const devicesPart = (group: ChangeGroup, options: GroupOptions): readonly Line[] => {
  const shown = group.devices.slice(0, options.devices)
  const rest = group.devices.length - shown.length
  const idWidth = Math.min(24, Math.max(...shown.map((device) => displayWidth(harmless(device.device)))))
  return [
    ...shown.map((device) => deviceLine(device, group, idWidth, options.width)),
    ...(rest > 0
      ? [
          line(
            7,
            `     and ${count(rest)} more: `,
            `ferry show ${shellWord(options.file)} --group ${group.id}`,
          ),
        ]
      : []),
  ]
}

/** Nothing is written for these, so that a line says all. */
const SETTLED: readonly Action[] = ['done', 'adopt', 'excluded', 'gone', 'blocked']

export const groupHeading = (group: ChangeGroup): Line => {
  const { symbol } = ACTION_WORDS[group.action]
  const risks = group.devices[0] === undefined ? [] : riskIdsOf(group.devices[0])
  const codes = group.findings
    .filter(({ severity }) => severity !== 'error')
    .map(({ code }) => harmless(code))
  return line(
    5,
    '  ',
    ['bold', group.id],
    ' ',
    symbolSpan(symbol),
    ' ',
    ['bold', devices(group.devices.length)],
    `: ${groupTitle(group)}`,
    ...(risks.length === 0 ? [] : ([['yellow', `  ${risks.join(' ')}`]] as const)),
    ...(codes.length === 0 ? [] : ([['yellow', `  ${codes.join(' ')}`]] as const)),
  )
}

/** A group in the overview or in full. */
export const groupLines = (group: ChangeGroup, options: GroupOptions): readonly Line[] => {
  const isBrief = SETTLED.includes(group.action) && Number.isFinite(options.devices)
  return [
    groupHeading(group),
    ...(isBrief
      ? []
      : [
          ...fieldsPart(group, options),
          ...stepsPart(group, options.stepsAs),
          ...devicesPart(group, options),
        ]),
  ]
}

/** The first group before this one with the same steps, told with both texts. */
export const sameStepsAs = (groups: readonly ChangeGroup[], index: number): string | undefined => {
  const group = groups[index]
  if (group?.steps === undefined || group.later === undefined || group.steps.length + group.later.length < 3)
    return undefined
  const textOf = (other: ChangeGroup): string =>
    `${other.steps?.join()};${other.later?.join()};${staysMuted(other)}`
  return groups.slice(0, index).find((other) => textOf(other) === textOf(group))?.id
}
