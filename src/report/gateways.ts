import type { ChangeSet } from '../domain/change-set.ts'
import type { GatewayChange, GatewayRow, Some } from '../domain/gateway.ts'
import type { Json } from '../domain/json.ts'
import { harmless, markdownText, withoutKeyForms } from './escape.ts'
import { type Line, line, type Tone } from './layout.ts'
import { count, devices } from './words.ts'

/** What a gateway's line begins with, and in which tone. */
const TONE: Readonly<Record<GatewayChange['action'], Tone | undefined>> = {
  create: 'green',
  update: 'yellow',
  same: undefined,
  blocked: 'red',
}

const ACTION: Readonly<Record<GatewayChange['action'], string>> = {
  create: 'its registration is copied',
  update: 'its registration on the target is changed',
  same: 'registered there already',
  blocked: 'left alone',
}

const named = (some: Some): string => {
  const shown = some.examples.slice(0, 5).map(harmless)
  const more = some.count - shown.length
  return `${shown.join(', ')}${more > 0 ? ` and ${count(more)} more` : ''}`
}

const title = ({ gateway, target, eui }: GatewayChange): string =>
  `${harmless(gateway)}${target === gateway ? '' : ` -> ${harmless(target)}`}${eui === undefined ? '' : ` (${harmless(eui)})`}`

/** What becomes of the registration, and of its coverage. */
const sentences = (change: GatewayChange): readonly string[] => [
  `${ACTION[change.action]}${change.settings.length === 0 ? '' : `: ${change.settings.map(harmless).join(', ')}`}${change.lnsKey === 'carried' ? ', with its LNS key' : ''}`,
  `heard ${devices(change.carries)} last`,
  ...(change.loses.count === 0
    ? []
    : [`with it the source loses ${devices(change.loses.count)}: ${named(change.loses)}`]),
  ...(change.orphans.count === 0
    ? []
    : [
        `${devices(change.orphans.count)} ${change.orphans.count === 1 ? 'stays' : 'stay'} on the source, and nobody there hears ${change.orphans.count === 1 ? 'it' : 'them'} any more: ${named(change.orphans)}`,
      ]),
  ...change.findings.map(
    ({ message, hint }) => `${harmless(message)}${hint === undefined ? '' : `; fix: ${harmless(hint)}`}`,
  ),
]

/** What somebody has to do at the gateway itself, once its registration is there. */
const atGateway = (change: GatewayChange, host: string): string =>
  `server address ${harmless(host.replace(/:\d+$/, ''))}${change.lnsKey !== 'none' ? ', its LNS key stays as it is' : '; a Basics Station needs a new LNS key of the target'}`

const isMoved = ({ action }: GatewayChange): boolean => action !== 'blocked'

/** The gateways that a plan moves, in the order that keeps coverage longest; nothing where it moves none. */
export const gatewayLines = ({ gateways, target }: ChangeSet): readonly Line[] =>
  gateways === undefined
    ? []
    : [
        line(
          2,
          ['bold', `Gateways: ${count(gateways.length)}`],
          '  in the order that keeps coverage longest',
        ),
        ...gateways.flatMap((change, index) => {
          const tone = TONE[change.action]
          const name = `${index + 1}. ${title(change)}`
          return [
            line(6, '  ', tone === undefined ? name : [tone, name]),
            ...sentences(change).map((sentence) => line(8, `      ${sentence}`)),
            ...(isMoved(change) ? [line(10, `      [ ] there: ${atGateway(change, target.host)}`)] : []),
          ]
        }),
      ]

/** The same for a pull request. */
export const gatewayList = ({ gateways, target }: ChangeSet): readonly string[] =>
  gateways === undefined
    ? []
    : [
        `### Gateways: ${count(gateways.length)}`,
        '',
        'In the order that keeps coverage longest.',
        '',
        ...gateways.flatMap((change, index) => [
          `${index + 1}. **${markdownText(title(change))}**: ${markdownText(sentences(change).join('; '))}`,
          ...(isMoved(change)
            ? [`   - [ ] at the gateway: ${markdownText(atGateway(change, target.host))}`]
            : []),
        ]),
      ]

const someJson = ({ count: number, examples }: Some): Json => ({ count: number, examples: [...examples] })

export const gatewayJson = (change: GatewayChange): Json => ({
  gateway: change.gateway,
  target: change.target,
  eui: change.eui ?? null,
  action: change.action,
  settings: [...change.settings],
  lns_key: change.lnsKey,
  carries: change.carries,
  loses: someJson(change.loses),
  orphans: someJson(change.orphans),
  findings: change.findings.map(({ code, severity, message, hint }) => ({
    code,
    severity,
    message: withoutKeyForms(message),
    ...(hint === undefined ? {} : { hint: withoutKeyForms(hint) }),
  })),
})

const STATUS: Readonly<Record<GatewayRow['status'], { readonly tone: Tone; readonly means: string }>> = {
  connected: { tone: 'green', means: 'connected to the target' },
  gone: { tone: 'red', means: 'was connected to the target, and is not now' },
  never: { tone: 'yellow', means: 'has not connected to the target yet' },
  absent: { tone: 'red', means: 'not registered on the target: ferry apply' },
}

/** How the gateways are connected, for `ferry verify`. */
export const gatewayRowLines = (rows: readonly GatewayRow[]): readonly Line[] =>
  rows.length === 0
    ? []
    : [
        line(2, ['bold', `Gateways: ${count(rows.length)}`]),
        ...rows.map(({ target, status, lastUplinkAt }) =>
          line(
            4,
            '  ',
            [STATUS[status].tone, harmless(target)],
            `  ${STATUS[status].means}${lastUplinkAt === undefined ? '' : `, last uplink ${harmless(lastUplinkAt)}`}`,
          ),
        ),
      ]

export const gatewayRowJson = ({ gateway, target, status, lastUplinkAt }: GatewayRow): Json => ({
  gateway,
  target,
  status,
  last_uplink_at: lastUplinkAt ?? null,
})
