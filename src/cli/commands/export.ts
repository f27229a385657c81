import { type Exported, exportMigration, type LoadedPlan, openWorkspace } from '../../index.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { hostOf } from '../host.ts'
import { type KeysOut, refuseUnclear, writeKeys } from '../keys-out.ts'
import { counted, planFrom } from '../plan-file.ts'
import { showProgress } from '../progress.ts'
import type { Command, Shell } from '../shell.ts'
import { tell, tellFindings } from '../tell.ts'

/** `ferry export <plan>` */
export const exportDevices: Command<KeysOut> = async (shell, [file = ''], options) => {
  refuseUnclear(options, 'the export holds keys', 'devices.json')
  const loaded = await planFrom(file)
  const { devices, findings } = await readDevices(shell, loaded)
  tellFindings(shell.err, findings)
  const text = devices.map((device) => `${JSON.stringify(device)}\n`).join('')
  await writeKeys(shell, options, text)
  tell(
    shell.err,
    'warning',
    `${options.output ?? 'the output'} holds the keys of ${counted(devices.length, 'device')} in the clear`,
    'import it, then delete it; stop these devices on the source first, or two networks will answer them',
  )
  return exitCodeOf(devices.length === 0 && findings.length > 0 ? 'blocked' : 'done')
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
