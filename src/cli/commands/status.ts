import {
  type HistoryTaker,
  type KnownState,
  type LoadedPlan,
  type LocalPlan,
  readKnownState,
  replaceFile,
  type StatusRow,
  type Stores,
  statusRows,
  takeHistory,
} from '../../index.ts'
import { renderStatus, renderStatusJson } from '../../report/status.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { hostOf } from '../host.ts'
import { planFrom } from '../plan-file.ts'
import type { Command, Shell } from '../shell.ts'
import { withStores } from '../stores.ts'
import { tell } from '../tell.ts'
import { toolName } from '../version.ts'

interface StatusOptions {
  readonly watch?: boolean
  readonly html?: string
}

/** `ferry status <plan>`: from the state alone. */
export const status: Command<StatusOptions> = async (shell, [file = ''], options) => {
  const { watch = false, json = false, html } = options
  const loaded = await planFrom(file)
  await withStores(shell, loaded, async (local, stores) => {
    const lookNow = (): Promise<Looked> => look(shell, loaded, stores, html !== undefined)
    const showAll = async (looked: Looked): Promise<void> => {
      show(shell, loaded, looked, json)
      if (html !== undefined) await writePage(html, local, looked)
    }
    if (watch) await keepShowing(shell, json, lookNow, showAll)
    else await showAll(await lookNow())
    if (html !== undefined) tell(shell.err, 'note', `the page is written to ${html}`)
  })
  return exitCodeOf('done')
}

/** For those who were not there. It holds ids and times, and no secret. */
const writePage = async (
  file: string,
  { stateOwner }: LocalPlan,
  { rows, progress, history, now }: Looked,
): Promise<void> => {
  const { renderHtml } = await import('../../report/html/report.ts')
  const page = await renderHtml({
    ...stateOwner,
    rows,
    history: history.historyOf(progress),
    now,
    tool: toolName(),
  })
  await replaceFile(file, Buffer.from(page), { code: 'FileNotWritten' })
}

interface Looked extends Pick<KnownState, 'read' | 'progress'> {
  readonly rows: readonly StatusRow[]
  readonly history: HistoryTaker
  readonly now: Date
}

const look = async (
  { clock }: Shell,
  { plan }: LoadedPlan,
  stores: Stores,
  isForPage: boolean,
): Promise<Looked> => {
  const history = takeHistory()
  const { progress, read } = await readKnownState(stores, isForPage ? history.take : undefined)
  const now = clock()
  return { rows: statusRows(progress, { ...plan.verify, now }), read, progress, history, now }
}

const show = ({ out, err }: Shell, loaded: LoadedPlan, { rows, read, now }: Looked, json: boolean): void => {
  const { name, state } = loaded.plan
  if (json) out.write(renderStatusJson(rows, name))
  else out.write(renderStatus(rows, { name, now, width: out.width, style: out.style }))
  if (read.status === 'absent')
    tell(err, 'note', `nothing was applied yet: there is no state ${state.http?.address ?? state.file}`)
  else if (read.tornTail)
    tell(err, 'note', 'the last line of the state was cut short by a kill; the next apply goes on before it')
}

/** Milliseconds. */
const LOOK = 5_000
/** Takes everything off a terminal, and begins at its top. */
const CLEAR = '\u001b[H\u001b[2J'

/** On a terminal again and again, so that times go on; elsewhere whenever a device has changed. Ends by an interrupt. */
const keepShowing = async (
  shell: Shell,
  json: boolean,
  lookNow: () => Promise<Looked>,
  showAll: (looked: Looked) => Promise<void>,
): Promise<void> => {
  const { out, interrupts } = shell
  const host = hostOf(shell)
  const isLive = out.isTerminal && !json
  let shown: string | undefined
  while (interrupts.end() === undefined) {
    const looked = await lookNow()
    const told = JSON.stringify(looked.rows.map(({ device, status: at }) => [device, at]))
    if (isLive || told !== shown) {
      if (isLive) out.write(CLEAR)
      await showAll(looked)
      if (isLive) out.write(`${looked.now.toISOString()}  every ${LOOK / 1_000} s; Ctrl-C ends\n`)
    }
    shown = told
    await host.pause(LOOK)
  }
  interrupts.forget()
}
