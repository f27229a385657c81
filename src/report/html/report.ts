import { createHash } from 'node:crypto'
import { html, raw } from 'hono/html'
import type { History, RunHistory, WaveHistory } from '../../domain/history.ts'
import type { NetworkIdentity } from '../../domain/ports.ts'
import { harmless, harmlessJson } from '../escape.ts'
import type { Tone } from '../layout.ts'
import type { StatusRow } from '../status.ts'
import { type StatusGroup, statusGroups, statusWords } from '../status-groups.ts'
import { count, devices, duration, networkName, percent, plural } from '../words.ts'
import { chart } from './chart.ts'
import { SCRIPT } from './script.ts'
import { STYLE } from './style.ts'

export interface HtmlReport {
  readonly name: string
  readonly source: NetworkIdentity
  readonly target: NetworkIdentity
  readonly rows: readonly StatusRow[]
  readonly history: History
  readonly now: Date
  /** Name and version. */
  readonly tool: string
}

/** Devices of a state that are listed by themselves; all are in the list at the end. */
const LISTED = 25

const TONES: Readonly<Partial<Record<Tone, string>>> = { red: 'bad', yellow: 'wait', green: 'good' }

const toneOf = (status: string): string => TONES[statusWords(status)?.tone ?? 'dim'] ?? 'rest'

const time = (text: string | undefined): string =>
  text === undefined ? '' : harmless(text.replace('T', ' ').replace(/(\.\d+)?Z$/, ''))

const whatIsNext = ({ status, next, error }: StatusRow): string =>
  [
    next,
    ...(error === undefined || statusWords(status)?.errors !== true
      ? []
      : [`${error.code}: ${error.message}`, ...(error.hint === undefined ? [] : [error.hint])]),
  ]
    .filter((text) => text !== '')
    .map(harmless)
    .join('. ')

/** What a reader wants to know before anything else. */
const verdict = (groups: readonly StatusGroup[], all: number): string => {
  const of = (...statuses: readonly string[]): number =>
    groups.filter(({ status }) => statuses.includes(status)).reduce((sum, { rows }) => sum + rows.length, 0)
  const [arrived, unserved] = [of('heard', 'retired', 'adopted'), of('held-by-escrow')]
  const [failed, silent] = [of('failed', 'rolling-back'), of('silent')]
  if (all === 0) return 'Nothing was applied yet.'
  const parts = [
    ...(unserved > 0 ? [`${devices(unserved)} served by no network: run ferry apply at once`] : []),
    `${count(arrived)} of ${devices(all)} arrived (${percent(arrived / all)})`,
    ...(failed > 0 ? [`${count(failed)} failed`] : []),
    ...(silent > 0 ? [`${count(silent)} silent`] : []),
  ]
  return `${parts.join(', ')}.`
}

const fleet = (groups: readonly StatusGroup[], all: number) => html`<section aria-labelledby="fleet">
<h2 id="fleet">Fleet by state</h2>
<div class="bar" role="img" aria-label="${groups.map(({ status, rows }) => `${count(rows.length)} ${harmless(status)}`).join(', ')}">${groups.map(
  ({ status, rows }) => html`<span class="${toneOf(status)} fill" style="flex:${rows.length}"></span>`,
)}</div>
<table class="wide"><thead><tr><th scope="col">State</th><th scope="col" class="number">Devices</th><th scope="col" class="number">Share</th><th scope="col">What it means</th></tr></thead>
<tbody>${groups.map(
  ({ status, rows }) =>
    html`<tr><td class="${toneOf(status)} tone">${harmless(status)}</td><td class="number" data-name="Devices">${count(rows.length)}</td><td class="number" data-name="Share">${percent(rows.length / all)}</td><td>${statusWords(status)?.means ?? ''}</td></tr>`,
)}</tbody></table></section>`

const waveTable = (waves: readonly WaveHistory[]) => html`<table class="wide">
<thead><tr><th scope="col">Wave</th><th scope="col">Began (UTC)</th><th scope="col" class="number">Devices</th><th scope="col" class="number">On the target</th><th scope="col" class="number">Heard</th></tr></thead>
<tbody>${waves.map(
  (wave) =>
    html`<tr><td>${harmless(wave.wave)}</td><td data-name="Began">${time(wave.began)}</td><td class="number" data-name="Devices">${count(wave.devices)}</td><td class="number" data-name="On the target">${count(wave.served)}</td><td class="number" data-name="Heard">${count(wave.heard)} (${percent(wave.heard / wave.devices)})</td></tr>`,
)}</tbody></table>`

const overTime = ({ begun, served, heard, waves }: History, now: Date) => {
  const drawing = chart(
    [
      { name: 'begun', tone: 'rest', times: begun },
      { name: 'on the target', tone: 'calm', times: served },
      { name: 'heard', tone: 'good', times: heard },
    ],
    now.getTime(),
  )
  return html`<section aria-labelledby="time"><h2 id="time">Over time</h2>
${drawing ?? html`<p class="soft">No device has begun to cross.</p>`}${waves.length === 0 ? '' : waveTable(waves)}</section>`
}

/** States in which a device asks for somebody. */
const asksForSomebody = ({ status }: StatusGroup): boolean =>
  statusWords(status)?.tone === 'red' || status === 'deferred'

const since = (row: StatusRow, now: Date): string =>
  row.since === undefined ? '' : `for ${duration(now.getTime() - Date.parse(row.since))}`

const listed = (
  { status, rows }: StatusGroup,
  now: Date,
) => html`<section aria-labelledby="state-${harmless(status)}">
<h2 id="state-${harmless(status)}">${devices(rows.length)} ${harmless(status)}</h2><p class="soft">${statusWords(status)?.means ?? ''}</p>
<table class="wide"><thead><tr><th scope="col">Device</th><th scope="col">DevEUI</th><th scope="col">Since</th><th scope="col">What is next</th></tr></thead>
<tbody>${rows
  .slice(0, LISTED)
  .map(
    (row) =>
      html`<tr><td class="id">${harmless(row.device)}</td><td class="id" data-name="DevEUI">${row.devEui ?? ''}</td><td data-name="Since">${since(row, now)}</td><td>${whatIsNext(row)}</td></tr>`,
  )}</tbody></table>${rows.length > LISTED ? html`<p>And ${count(rows.length - LISTED)} more: choose the state in the list of all devices.</p>` : ''}</section>`

const resultOf = ({ result, ended }: RunHistory): string =>
  ended === undefined ? 'not ended: killed, or at work' : (result ?? '')

const took = ({ began, ended }: RunHistory): string =>
  ended === undefined ? '' : duration(Date.parse(ended) - Date.parse(began))

const runTable = (
  runs: readonly RunHistory[],
) => html`<section aria-labelledby="runs"><h2 id="runs">What was done when</h2>
${
  runs.length === 0
    ? html`<p class="soft">Nothing was done yet.</p>`
    : html`<table class="wide"><thead><tr><th scope="col">Run</th><th scope="col">Began (UTC)</th><th scope="col">Took</th><th scope="col">Result</th>${['Begun', 'On the target', 'Heard', 'Failed steps', 'Taken back'].map((name) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead>
<tbody>${runs.map(
        (run) =>
          html`<tr><td>ferry ${harmless(run.command)} ${harmless(run.run.slice(0, 8))}</td><td data-name="Began">${time(run.began)}</td><td data-name="Took">${took(run)}</td><td data-name="Result">${resultOf(run)}</td><td class="number" data-name="Begun">${count(run.begun)}</td><td class="number" data-name="On the target">${count(run.served)}</td><td class="number" data-name="Heard">${count(run.heard)}</td><td class="number" data-name="Failed steps">${count(run.failed)}</td><td class="number" data-name="Taken back">${count(run.undone)}</td></tr>`,
      )}</tbody></table>`
}</section>`

/** JSON within a script element, which the text can not end. */
const embedded = (value: unknown): string =>
  harmlessJson(value).replace(/\n\s*/g, '').replaceAll('<', '\\u003c')

const allDevices = (rows: readonly StatusRow[], groups: readonly StatusGroup[]) => {
  const list = rows.map((row) => [
    harmless(row.device),
    harmless(row.target),
    row.devEui ?? '',
    harmless(row.status),
    time(row.since),
    whatIsNext(row),
  ])
  return html`<section aria-labelledby="all"><h2 id="all">All devices</h2>
<form id="search" role="search"><label>Find<input id="find" type="search" autocomplete="off" placeholder="id, DevEUI or words"></label>
<label>State<select id="state"><option value="">all</option>${groups.map(({ status }) => html`<option>${harmless(status)}</option>`)}</select></label></form>
<nav aria-label="Pages"><button id="back" type="button">Back</button><button id="on" type="button">On</button><span id="told" role="status"></span></nav>
<table class="wide"><thead><tr><th scope="col">Device</th><th scope="col">On the target</th><th scope="col">DevEUI</th><th scope="col">State</th><th scope="col">Since (UTC)</th><th scope="col">What is next, and what failed</th></tr></thead><tbody id="devices"></tbody></table>
<noscript><p>The list of all devices needs scripts; ferry status --json has it too.</p></noscript></section>
<script type="application/json" id="rows">${raw(embedded(list))}</script>`
}

/**
 * Where a migration stands, as one page that asks nobody for anything: its policy forbids every request. From the state alone.
 * Texts of networks are made harmless; no secret is in a state.
 */
export const renderHtml = async (report: HtmlReport): Promise<string> => {
  const { name, rows, history, now } = report
  const groups = statusGroups(rows)
  const hash = createHash('sha256').update(SCRIPT).digest('base64')
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`
  const page = await html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${raw(policy)}"><meta name="referrer" content="no-referrer">
<title>${harmless(name)}: where the migration stands</title><style>${raw(STYLE)}</style></head>
<body><header><h1>${harmless(name)}</h1><p>${networkName(report.source)} to ${networkName(report.target)}</p>
<p class="verdict">${verdict(groups, rows.length)}</p><p class="soft">${history.runs.length} ${plural(history.runs.length, 'run', 'runs')}, as of ${time(now.toISOString())} UTC</p></header>
<main>${rows.length === 0 ? '' : fleet(groups, rows.length)}${overTime(history, now)}
${groups.filter(asksForSomebody).map((group) => listed(group, now))}${runTable(history.runs)}${allDevices(rows, groups)}</main>
<footer class="soft"><p>Written by ${harmless(report.tool)} from the state of the migration.</p></footer><script>${raw(SCRIPT)}</script></body></html>
`
  return page.toString()
}
