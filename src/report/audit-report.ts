import {
  AUDIT_KINDS,
  type Audit,
  type AuditFinding,
  type AuditKind,
  type Registration,
} from '../domain/audit.ts'
import type { Registry } from '../domain/device.ts'
import type { Json } from '../domain/json.ts'
import { harmless, harmlessJson, withoutKeyForms } from './escape.ts'
import { JSON_FORMAT_VERSION } from './json.ts'
import { blank, type Line, line, renderLines, type Tone } from './layout.ts'
import { errorJson } from './status.ts'
import { type TextOptions, textOptions } from './text.ts'
import { count, devices, networkName, plural, REGISTRY_SHORT } from './words.ts'

interface KindWords {
  /** Completes "3 ..." in the sum. */
  readonly short: readonly [one: string, many: string]
  readonly title: string
  readonly tone: Tone
}

const WORDS: Readonly<Record<AuditKind, KindWords>> = {
  'ids-differ': {
    short: ['contradictory', 'contradictory'],
    title: 'Registries that contradict each other',
    tone: 'red',
  },
  orphan: {
    short: ['orphan', 'orphans'],
    title: 'Orphans: records that the Identity Server does not know',
    tone: 'red',
  },
  'half-registered': {
    short: ['half-registered', 'half-registered'],
    title: 'Half-registered devices',
    tone: 'red',
  },
  'euis-taken': {
    short: ['EUI pair taken', 'EUI pairs taken'],
    title: 'EUIs that another device has',
    tone: 'red',
  },
  'eui-twin': { short: ['EUI twin', 'EUI twins'], title: 'Ids that share their EUIs', tone: 'red' },
  session: { short: ['session fault', 'session faults'], title: 'Sessions', tone: 'yellow' },
  absent: { short: ['absent', 'absent'], title: 'In no registry of either network', tone: 'yellow' },
  unreadable: {
    short: ['unreadable', 'unreadable'],
    title: 'Devices that could not be read',
    tone: 'yellow',
  },
}

/** Devices of a group that are told one by one. */
const SHOWN = 5

interface Group {
  readonly first: AuditFinding
  readonly findings: readonly AuditFinding[]
}

/** Findings of one kind by what they mean and what to do, the largest first. */
const groupsOf = (findings: readonly AuditFinding[]): readonly Group[] => {
  const groups = new Map<string, AuditFinding[]>()
  for (const finding of findings) {
    const key = JSON.stringify([finding.code, finding.side, finding.means, finding.fix])
    const known = groups.get(key)
    if (known === undefined) groups.set(key, [finding])
    else known.push(finding)
  }
  return [...groups.values()]
    .flatMap((list) => (list[0] === undefined ? [] : [{ first: list[0], findings: list }]))
    .sort((a, b) => b.findings.length - a.findings.length)
}

const groupLines = ({ first, findings }: Group, tone: Tone): readonly Line[] => {
  const rest = findings.length - SHOWN
  return [
    line(
      4,
      '  ',
      [tone, '!'],
      ` ${harmless(first.code)} ${count(findings.length)} on the ${first.side}: ${harmless(first.means)}`,
    ),
    ...findings
      .slice(0, SHOWN)
      .map(({ message, devEui }) =>
        line(6, `    ${harmless(message)}`, ...(devEui === undefined ? [] : [` (${harmless(devEui)})`])),
      ),
    ...(rest > 0 ? [line(4, `    and ${count(rest)} more: --json`)] : []),
    line(9, `    fix: ${harmless(first.fix)}`),
  ]
}

const kindLines = (audit: Audit, kind: AuditKind): readonly Line[] => {
  const findings = audit.findings.filter((finding) => finding.kind === kind)
  if (findings.length === 0) return []
  const { title, tone } = WORDS[kind]
  return [
    line(2, ['bold', `${title}: ${count(findings.length)}`]),
    ...groupsOf(findings).flatMap((group) => groupLines(group, tone)),
    blank,
  ]
}

const known = (audit: Audit): number =>
  audit.devices.filter(({ source, onTarget }) => isThere(source) || isThere(onTarget)).length

const isThere = (registration: Registration | undefined): boolean =>
  registration !== undefined && registration.status !== 'absent'

const countOf = (audit: Audit, kind: AuditKind): number =>
  audit.findings.filter((finding) => finding.kind === kind).length

/** Problems by kind, with the first devices, what it means and the repair; the last line is the sum. */
export const renderAudit = (audit: Audit, options: TextOptions = {}): string => {
  const { width, style } = textOptions(options)
  const sums = AUDIT_KINDS.flatMap((kind) => {
    const number = countOf(audit, kind)
    return number === 0 ? [] : [`${count(number)} ${plural(number, ...WORDS[kind].short)}`]
  })
  const [tone, verdict]: readonly [Tone, string] =
    audit.findings.length === 0 ? ['green', 'CLEAN'] : ['red', 'FOUND']
  return renderLines(
    [
      ...AUDIT_KINDS.flatMap((kind) => kindLines(audit, kind)),
      line(
        2,
        [tone, verdict],
        `  ${devices(known(audit))} in ${networkName(audit.source)} and ${networkName(audit.target)}: ${
          sums.length === 0 ? 'registered in whole' : sums.join(', ')
        }.`,
      ),
    ],
    width,
    style,
  )
}

const registriesJson = (registries: readonly Registry[]): Json =>
  registries.map((registry) => REGISTRY_SHORT[registry])

const registrationJson = (registration: Registration | undefined): Json =>
  registration === undefined
    ? null
    : {
        device: registration.deviceId,
        status: registration.status,
        dev_eui: registration.devEui ?? null,
        join_eui: registration.joinEui ?? null,
        activation: registration.activation ?? null,
        held: registriesJson(registration.held),
        missing: registriesJson(registration.missing),
        has_session: registration.hasSession,
        session_fault: registration.sessionFault ?? null,
        error: registration.error === undefined ? null : errorJson(registration.error),
      }

/** The same as one JSON document, with every device; keys in snake case, registries as IS, JS, AS and NS. */
export const renderAuditJson = (audit: Audit): string =>
  `${harmlessJson({
    format_version: JSON_FORMAT_VERSION,
    kind: 'audit',
    plan: { name: audit.plan.name, file: audit.plan.file },
    source: { ...audit.source },
    target: { ...audit.target },
    verdict: audit.findings.length === 0 ? 'clean' : 'found',
    summary: {
      devices: known(audit),
      findings: audit.findings.length,
      ...Object.fromEntries(AUDIT_KINDS.map((kind) => [kind.replaceAll('-', '_'), countOf(audit, kind)])),
    },
    findings: audit.findings.map((finding) => ({
      kind: finding.kind,
      code: finding.code,
      side: finding.side,
      device: finding.device,
      dev_eui: finding.devEui ?? null,
      message: withoutKeyForms(finding.message),
      means: withoutKeyForms(finding.means),
      fix: withoutKeyForms(finding.fix),
    })),
    devices: audit.devices.map((device) => ({
      device: device.device ?? null,
      target: device.target,
      selected: device.selected,
      on_source: registrationJson(device.source),
      on_target: registrationJson(device.onTarget),
    })),
  })}\n`
