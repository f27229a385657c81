import { join, parse } from 'node:path'
import {
  csvLine,
  csvSheets,
  type DeviceRecord,
  type Diagnostic,
  type Exported,
  exportDevice,
  exportMigration,
  FerryError,
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
  const texts = format === 'csv' ? csvTexts(devices, withKeys) : [jsonText(devices, loaded, withKeys)]
  const files = output === undefined ? [] : texts.map((_, index) => numbered(output, index))
  if (output === undefined) shell.out.write(onlyOne(texts))
  for (const [index, file] of files.entries())
    await replaceFile(file, Buffer.from(texts[index] ?? ''), { code: 'FileNotWritten' })
  if (files.length > 1)
    tell(
      shell.err,
      'note',
      `the devices lie in ${files.join(', ')}: they have different columns, and an import takes a blank cell for a zero`,
      'import each of them',
    )
  if (withKeys)
    tell(
      shell.err,
      'warning',
      `${files.length === 0 ? 'the output' : files.join(', ')} ${files.length > 1 ? 'hold' : 'holds'} the keys of ${counted(devices.length, 'device')} in the clear`,
      `import ${files.length > 1 ? 'them, then delete them' : 'it, then delete it'}; stop these devices on the source first, or two networks will answer them`,
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

const jsonText = (devices: readonly DeviceRecord[], { plan }: LoadedPlan, withKeys: boolean): string =>
  devices
    .map((device) => `${JSON.stringify(exportDevice(device, plan.target.application, { withKeys }))}\n`)
    .join('')

/** One text a sheet; of no devices, one without a line. */
const csvTexts = (devices: readonly DeviceRecord[], withKeys: boolean): readonly string[] => {
  const sheets = csvSheets(devices, withKeys)
  return sheets.length === 0
    ? ['']
    : sheets.map(({ headings, rows }) => [headings, ...rows].map(csvLine).join(''))
}

/** `fleet.csv`, `fleet-2.csv`, `fleet-3.csv`. */
const numbered = (file: string, index: number): string => {
  if (index === 0) return file
  const { dir, name, ext } = parse(file)
  return join(dir, `${name}-${index + 1}${ext}`)
}

const onlyOne = (texts: readonly string[]): string => {
  const [text = '', second] = texts
  if (second === undefined) return text
  throw new FerryError(
    'usage',
    'CsvNeedsFiles',
    `the devices have different columns, and need ${texts.length} CSVs: an import takes a blank cell for a zero`,
    {
      hint: 'name a file with -o fleet.csv: the others are called fleet-2.csv and on; or take --format devices-json',
    },
  )
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
