import { auditMigration, openWorkspace } from '../../index.ts'
import { renderAudit, renderAuditJson } from '../../report/audit-report.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { hostOf } from '../host.ts'
import { planFrom } from '../plan-file.ts'
import { showProgress } from '../progress.ts'
import type { Command } from '../shell.ts'
import { tellFindings } from '../tell.ts'

/** `ferry audit <plan>`: what is registered in part, on both networks. Read only. */
export const audit: Command = async (shell, [file = ''], { json }) => {
  const { out, err } = shell
  const loaded = await planFrom(file)
  const progress = showProgress(err)
  try {
    const host = hostOf(shell, progress.emit)
    const workspace = await openWorkspace(loaded, host)
    try {
      const audited = await auditMigration(workspace, host)
      // Devices that an interrupt kept from being read would look absent.
      shell.interrupts.signal.throwIfAborted()
      progress.stop()
      tellFindings(err, audited.warnings)
      if (json === true) out.write(renderAuditJson(audited.audit))
      else out.write(renderAudit(audited.audit, { width: out.width, style: out.style }))
      return exitCodeOf(audited.audit.findings.length === 0 ? 'done' : 'differences')
    } finally {
      await workspace.close()
    }
  } finally {
    progress.stop()
  }
}
