import {
  type Exported,
  exportMigration,
  FerryError,
  type LoadedPlan,
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
  readonly stdout?: boolean
}

/** `ferry export <plan>` */
export const exportDevices: Command<ExportOptions> = async (shell, [file = ''], { output, stdout }) => {
  refuseUnclear(output, stdout === true)
  const loaded = await planFrom(file)
  const { devices, findings } = await readDevices(shell, loaded)
  tellFindings(shell.err, findings)
  const text = devices.map((device) => `${JSON.stringify(device)}\n`).join('')
  if (output === undefined) shell.out.write(text)
  else await replaceFile(output, Buffer.from(text), { code: 'FileNotWritten' })
  tell(
    shell.err,
    'warning',
    `${output ?? 'the output'} holds the keys of ${counted(devices.length, 'device')} in the clear`,
    'import it, then delete it; stop these devices on the source first, or two networks will answer them',
  )
  return exitCodeOf(devices.length === 0 && findings.length > 0 ? 'blocked' : 'done')
}

/** Keys go where somebody said, and never into a pipe or a log by themselves. */
const refuseUnclear = (output: string | undefined, stdout: boolean): void => {
  if ((output !== undefined) !== stdout) return
  if (stdout) {
    throw new FerryError('usage', 'TooMuchAsked', '-o and --stdout can not be given together', {
      hint: 'give one of them',
    })
  }
  throw new FerryError(
    'usage',
    'KeysUnasked',
    'the export holds keys in the clear, and nobody said where they go',
    { hint: 'name a file with -o devices.json, or give --stdout' },
  )
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
