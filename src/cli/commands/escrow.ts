import {
  escrowRecords,
  exportDevice,
  FerryError,
  generateIdentity,
  listEscrowed,
  nameOfEnd,
  openWorkspace,
  type RestoreRow,
  replaceFile,
  restoreToSource,
  writeIdentity,
} from '../../index.ts'
import { harmless, harmlessJson } from '../../report/escape.ts'
import { JSON_FORMAT_VERSION } from '../../report/json.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { hostOf } from '../host.ts'
import { neededIdentity, ownIdentityFile } from '../identity.ts'
import { counted, planFrom } from '../plan-file.ts'
import type { Command, Output, Shell } from '../shell.ts'
import { withStores } from '../stores.ts'
import { tableText } from '../table.ts'
import { tell } from '../tell.ts'

/** `ferry escrow keygen`: the public key on stdout, so that it can be piped into a plan. */
export const keygen: Command<{ readonly output?: string }> = async (shell, _args, { output, json }) => {
  const file = output ?? ownIdentityFile(shell.env)
  const pair = await generateIdentity()
  await writeIdentity(file, pair, shell.clock)
  if (json === true)
    shell.out.write(
      `${harmlessJson({ format_version: JSON_FORMAT_VERSION, kind: 'keygen', recipient: pair.recipient, file })}\n`,
    )
  else shell.out.write(`${pair.recipient}\n`)
  tell(
    shell.err,
    'note',
    `the identity is ${file}; write the public key into escrow.recipients of your plans`,
    'keep a copy of the identity in a safe place: without it the escrow can not be read',
  )
  return exitCodeOf('done')
}

/** `ferry escrow list <plan>` */
export const list: Command = async (shell, [file = ''], { json }) => {
  const { out } = shell
  const loaded = await planFrom(file)
  const rows = await withStores(shell, loaded, (_, stores) => listEscrowed(stores))
  const folder = loaded.plan.escrow.path
  if (json === true) {
    const records = rows.map(({ device, stage, file: name, line }) => ({ device, stage, file: name, line }))
    out.write(`${harmlessJson({ format_version: JSON_FORMAT_VERSION, kind: 'escrow', folder, records })}\n`)
    return exitCodeOf('done')
  }
  out.write(
    tableText(
      ['device', 'stage', 'file', 'line'],
      rows.map(({ device, stage, file: name, line }) => [device, stage, name, String(line + 1)]),
    ),
  )
  const devices = new Set(rows.map(({ device }) => device)).size
  out.write(`${harmless(folder)}  ${counted(rows.length, 'record')} of ${counted(devices, 'device')}.\n`)
  return exitCodeOf('done')
}

interface RestoreOptions {
  readonly device: readonly string[]
  readonly out?: string
  readonly yes?: boolean
}

/** `ferry escrow restore <plan> --device ID...` */
export const restore: Command<RestoreOptions> = async (shell, [file = ''], options) => {
  if (options.out === undefined && options.yes !== true && !shell.canAsk) {
    throw new FerryError(
      'usage',
      'ConfirmationMissing',
      'there is no terminal to ask on, and --yes was not given',
      {
        hint: 'give --yes, or --out FILE to write a file',
      },
    )
  }
  const loaded = await planFrom(file)
  const identity = await neededIdentity(shell.env)
  const entries = await withStores(shell, loaded, (local, stores) =>
    escrowRecords(local, stores, [...new Set(options.device)], identity),
  )
  if (options.out !== undefined) {
    const { source, target } = loaded.plan
    const { application } = source.network === 'file' ? target : source
    const text = entries
      .map(({ record }) => `${JSON.stringify(exportDevice(record, application))}\n`)
      .join('')
    await replaceFile(options.out, Buffer.from(text), { code: 'FileNotWritten' })
    tell(
      shell.err,
      'warning',
      `${options.out} holds the keys of ${counted(entries.length, 'device')} in the clear`,
    )
    return exitCodeOf('done')
  }
  for (const { deviceId, stage, at } of entries)
    shell.err.write(`  ${deviceId}  stored ${at}, stage ${stage}\n`)
  const where = nameOfEnd(loaded.plan.source)
  if (options.yes !== true) {
    const question = `\nGive ${counted(entries.length, 'device')} back to ${where}, muted? Only yes will do: `
    if ((await shell.ask(question)) !== 'yes') {
      tell(shell.err, 'note', 'not confirmed: nothing was changed')
      return exitCodeOf('blocked')
    }
  }
  const host = hostOf(shell)
  const workspace = await openWorkspace(loaded, host)
  try {
    const { stores, source } = workspace
    const lock = await stores.state.lock('ferry escrow restore', host.owner, host.clock)
    try {
      const { rows } = await restoreToSource(stores, source, entries, host.clock)
      tellRestored(shell, rows, options.json === true)
      return exitCodeOf(rows.some(({ status }) => status === 'failed') ? 'partial' : 'done')
    } finally {
      await lock.release()
    }
  } finally {
    await workspace.close()
  }
}

const tellRestored = (shell: Shell, rows: readonly RestoreRow[], json: boolean): void => {
  const { out } = shell
  if (json) {
    out.write(`${harmlessJson({ format_version: JSON_FORMAT_VERSION, kind: 'restore', devices: rows })}\n`)
    return
  }
  for (const row of rows) out.write(rowText(row, out))
  const restored = rows.filter(({ status }) => status === 'restored').length
  const failed = rows.filter(({ status }) => status === 'failed').length
  out.write(`${counted(rows.length, 'device')}: ${restored} restored, ${failed} failed.\n`)
  if (restored > 0)
    tell(
      shell.err,
      'warning',
      'restored devices are muted on the source: no downlink reaches them from there',
      'make sure that the target does not serve them any more before you clear mac_settings.schedule_downlinks',
    )
}

const rowText = (row: RestoreRow, out: Output): string => {
  const did = [
    ...(row.created.length > 0 ? [`created on ${row.created.join(', ')}`] : []),
    ...(row.rootKeys ? ['root keys put back'] : []),
    ...(row.muted ? ['muted'] : []),
  ]
  const tone = row.status === 'failed' ? 'red' : row.status === 'restored' ? 'green' : 'dim'
  const error = row.error === undefined ? '' : `\n    ${harmless(`${row.error.code}: ${row.error.message}`)}`
  return `  ${harmless(row.device)}  ${out.style[tone](row.status)}${did.length === 0 ? '' : `  ${did.join('; ')}`}${error}\n`
}
