import type { ChangeSet, DeviceChange, FieldChange, ShownValue } from '../domain/change-set.ts'
import type { Diagnostic } from '../domain/diagnostic.ts'
import { canonicalJson, type Json } from '../domain/json.ts'
import { applicationJson } from './application.ts'
import { changesOf } from './becomes.ts'
import { harmlessJson, withoutKeyForms } from './escape.ts'
import type { FindingGroup } from './findings.ts'
import { examplesOf } from './findings.ts'
import { gatewayJson } from './gateways.ts'
import type { ChangeGroup } from './groups.ts'
import type { Hand } from './hands.ts'
import { previewOf } from './preview.ts'
import { riskIdsOf } from './risks.ts'
import { plainValue, sensitivityOf } from './shown.ts'
import type { Verdict } from './verdict.ts'

/** Version of the JSON document: the first number changes when a reader has to. */
export const JSON_FORMAT_VERSION = '1.0'

const snake = (verdict: Verdict): string => verdict.toLowerCase().replaceAll(' ', '_')

/** With sorted keys, so that a change set that was saved and read back looks the same. */
const sorted = (value: unknown): Json => JSON.parse(canonicalJson(value)) as Json

const side = (shown: ShownValue): Json => {
  if ('moving' in shown) return 'at handover'
  return 'generated' in shown ? 'generated' : (plainValue(shown) ?? null)
}

/** A secret has `redacted` in the place of `before` and `after`: there is no place where its value could be. */
export const fieldJson = (change: FieldChange): Json => {
  const sensitive = sensitivityOf(change)
  return {
    registry: change.registry,
    path: change.path,
    verdict: change.verdict,
    reason: change.reason,
    ...(change.because === undefined ? {} : { because: withoutKeyForms(change.because) }),
    ...(sensitive === undefined
      ? {
          ...('absent' in change.before || 'generated' in change.after
            ? {}
            : { before: side(change.before) }),
          ...('absent' in change.after ? {} : { after: side(change.after) }),
        }
      : { redacted: sensitive }),
  }
}

const findingJson = (finding: Diagnostic): Json => ({
  code: finding.code,
  severity: finding.severity,
  message: withoutKeyForms(finding.message),
  ...(finding.hint === undefined ? {} : { hint: withoutKeyForms(finding.hint) }),
  ...(finding.subject === undefined ? {} : { subject: sorted(finding.subject) }),
})

const findingGroupJson = (group: FindingGroup): Json => ({
  code: group.code,
  severity: group.severity,
  devices: group.devices,
  message: withoutKeyForms(group.message),
  ...(group.hint === undefined ? {} : { hint: withoutKeyForms(group.hint) }),
  examples: group.examples,
})

const profileJson = (profile: DeviceChange['profile']): Json =>
  profile === undefined
    ? null
    : {
        activation: profile.activation,
        class: profile.class,
        lorawan_version: profile.lorawanVersion,
        lorawan_phy_version: profile.lorawanPhyVersion,
        frequency_plan: profile.frequencyPlan,
      }

const becomesJson = ({ becomes }: DeviceChange): { readonly becomes?: Json } =>
  becomes === undefined
    ? {}
    : {
        becomes: {
          ...(becomes.devEui === undefined ? {} : { dev_eui: becomes.devEui }),
          ...(becomes.joinEui === undefined ? {} : { join_eui: becomes.joinEui }),
        },
      }

/** One device with all its fields; `group` where it is known. */
export const deviceJson = (device: DeviceChange, group?: string): Json => ({
  dev_eui: device.devEui ?? null,
  join_eui: device.joinEui ?? null,
  device: device.device,
  target: device.target,
  action: device.action,
  ...(group === undefined ? {} : { group }),
  status: device.status ?? null,
  route: device.route ?? null,
  ...(device.handover === undefined ? {} : { handover: device.handover }),
  ...becomesJson(device),
  profile: profileJson(device.profile),
  risks: riskIdsOf(device),
  steps: device.steps,
  later: device.later,
  findings: device.findings.map(findingJson),
  diff: changesOf(device).map(fieldJson),
})

/** A group with its common difference and three examples; with `devices` all of them. */
export const groupJson = (group: ChangeGroup): { readonly [key: string]: Json } => ({
  id: group.id,
  action: group.action,
  count: group.devices.length,
  status: group.status ?? null,
  route: group.route ?? null,
  ...(group.handover === undefined ? {} : { handover: group.handover }),
  profile: profileJson(group.profile),
  risks: group.devices[0] === undefined ? [] : riskIdsOf(group.devices[0]),
  findings: group.findings.map((finding) => finding.code),
  steps: group.steps ?? null,
  later: group.later ?? null,
  common: group.common.map(fieldJson),
  varying: group.varying.map((field) => ({
    devices: field.devices,
    distinct: field.distinct,
    example: fieldJson(field.example),
  })),
  unchanged: { least: group.unchanged[0], most: group.unchanged[1] },
  examples: examplesOf(group.devices).map((device) => device.devEui ?? device.device),
})

const handJson = ({ list, ...hand }: Hand): Json => ({
  ...hand,
  ...(list === undefined
    ? {}
    : {
        list: {
          kind: list.kind,
          items: list.items.map((item) => ({ ...item, text: withoutKeyForms(item.text) })),
        },
      }),
})

/** The preview as a value; keys in snake case, absent optional values are null or left out as documented. */
export const previewJson = (changeSet: ChangeSet): { readonly [key: string]: Json } => {
  const preview = previewOf(changeSet)
  const { counts, judgement } = preview
  const groupOf = new Map(
    preview.groups.flatMap((group) => group.devices.map((device) => [device, group.id] as const)),
  )
  return {
    format_version: JSON_FORMAT_VERSION,
    kind: 'plan',
    digest: changeSet.digest,
    verdict: snake(judgement.verdict),
    reasons: judgement.reasons.map(withoutKeyForms),
    complete: changeSet.complete,
    tool: changeSet.tool,
    plan: { name: changeSet.plan.name, file: changeSet.plan.file, digest: changeSet.plan.digest },
    source: sorted(changeSet.source),
    target: sorted(changeSet.target),
    state: { lineage: changeSet.base.lineage, serial: changeSet.base.serial },
    summary: {
      devices: changeSet.devices.length,
      ...counts,
      crossing: preview.crossing,
      crossing_by: Object.fromEntries(preview.ways.map((each) => [each.way, each.devices])),
      held_by_escrow: preview.held.length,
      source_deletes: preview.deleting,
    },
    guards: changeSet.guards.map((guard) => ({
      name: guard.name,
      used: guard.used,
      limit: guard.limit,
      of: guard.of ?? null,
      ok: guard.ok,
      because: guard.because,
    })),
    risks: preview.risks.map((risk) => ({
      id: risk.id,
      name: risk.name,
      title: risk.title,
      devices: risk.devices,
      asks: risk.asks,
      why: risk.why,
      undo: risk.undo,
      undo_by: risk.undoBy,
    })),
    irreversible: preview.irreversible.map((item) => ({ ...item })),
    needs_a_hand: preview.hands.map(handJson),
    ...(changeSet.application === undefined
      ? {}
      : { application: changeSet.application.map(applicationJson) }),
    ...(changeSet.gateways === undefined ? {} : { gateways: changeSet.gateways.map(gatewayJson) }),
    blocked: preview.blocked.map(findingGroupJson),
    excluded: preview.excluded.map(findingGroupJson),
    gone: preview.gone.map(findingGroupJson),
    diagnostics: [...preview.errors, ...preview.told].map(findingGroupJson),
    not_carried: preview.leftBehind.map((rule) => ({ ...rule })),
    policy: sorted(changeSet.policy),
    coverage: sorted(changeSet.coverage),
    rollout: sorted(changeSet.rollout),
    files: sorted(changeSet.files),
    digest_key: changeSet.digestKey,
    groups: preview.groups.map(groupJson),
    devices: changeSet.devices.map((device) => deviceJson(device, groupOf.get(device))),
  }
}

/** The preview as one JSON document with a final line feed. */
export const renderJson = (changeSet: ChangeSet): string => `${harmlessJson(previewJson(changeSet))}\n`
