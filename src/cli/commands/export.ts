import {
  csvCells,
  csvHeadings,
  csvLine,
  type DeviceRecord,
  type Diagnostic,
  type Exported,
  exportDevice,
  exportMigration,
  type LoadedPlan,
  lostInCsv,
  openWorkspace,
  replaceFile,
} from '../../index.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { hostOf } from '../host.ts'
import { counted, planFrom } from '../plan-file.ts'
import { showProgress } from '../progress.ts'
import type { Command, Shell } from '../shell.ts'
import { tell, tellFindings } from '../tell.ts'

interface ExportOptions {
  readonly output?: string
  readonly format?: 'devices-json' | 'csv'
  readonly withKeys?: boolean
  readonly yes?: boolean
}

/** `ferry export <plan>` */
export const exportDevices: Command<ExportOptions> = async (shell, [file = ''], options) => {
  const { withKeys = false, format = 'devices-json', output } = options
  const loaded = await planFrom(file)
  const { devices, findings } = await readDevices(shell, loaded)
  tellFindings(shell.err, [...findings, ...(format === 'csv' ? losses(devices) : [])])
  if (withKeys && !(await mayWrite(shell, options, devices.length))) {
    tell(shell.err, 'note', 'not confirmed: nothing was written')
    return exitCodeOf('blocked')
  }
  const text =
    format === 'csv'
      ? [csvHeadings(withKeys), ...devices.map((device) => csvCells(device, withKeys))].map(csvLine).join('')
      : devices
          .map((device) => exportDevice(device, loaded.plan.target.application, { withKeys }))
          .map((device) => `${JSON.stringify(device)}\n`)
          .join('')
  if (output === undefined) shell.out.write(text)
  else await replaceFile(output, Buffer.from(text), { code: 'FileNotWritten' })
  if (withKeys)
    tell(
      shell.err,
      'warning',
      `${output ?? 'the output'} holds the keys of ${counted(devices.length, 'device')} in the clear`,
      'import it, then delete it; stop these devices on the source first, or two networks will answer them',
    )
  else
    tell(
      shell.err,
      'note',
      `${counted(devices.length, 'device')} without keys and sessions`,
      '--with-keys writes them too, in the clear',
    )
  return exitCodeOf(devices.length === 0 && findings.some(isError) ? 'blocked' : 'done')
}

const isError = ({ severity }: Diagnostic): boolean => severity === 'error'

/** Whoever sits at a terminal is asked; a script has said so by the option. */
const mayWrite = async (shell: Shell, { output, yes }: ExportOptions, devices: number): Promise<boolean> => {
  if (yes === true || !shell.canAsk) return true
  const where = output ?? 'the standard output'
  const question = `Write the keys of ${counted(devices, 'device')} to ${where}, in the clear? Only yes will do: `
  return (await shell.ask(question)) === 'yes'
}

const losses = (devices: readonly DeviceRecord[]): readonly Diagnostic[] => {
  const counts = new Map<string, number>()
  for (const device of devices)
    for (const what of lostInCsv(device)) counts.set(what, (counts.get(what) ?? 0) + 1)
  return [...counts].map(([what, number]) => ({
    code: 'LostInCsv',
    severity: 'warning',
    message: `the CSV has no place for ${what} of ${counted(number, 'device')}`,
    hint: '--format devices-json holds all of it',
  }))
}

const readDevices = async (shell: Shell, loaded: LoadedPlan): Promise<Exported> => {
  const progress = showProgress(shell.err)
  try {
    const host = hostOf(shell, progress.emit)
    const workspace = await openWorkspace(loaded, host)
    try {
      const exported = await exportMigration(workspace, host)
      shell.interrupts.signal.throwIfAborted()
      return exported
    } finally {
      await workspace.close()
    }
  } finally {
    progress.stop()
  }
}
