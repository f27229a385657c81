import { readKnownState, statusRows } from '../../index.ts'
import { renderStatus, renderStatusJson } from '../../report/status.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { planFrom } from '../plan-file.ts'
import type { Command } from '../shell.ts'
import { withStores } from '../stores.ts'
import { tell } from '../tell.ts'

/** `ferry status <plan>`: from the state alone. */
export const status: Command = async (shell, [file = ''], { json }) => {
  const { out, err } = shell
  const loaded = await planFrom(file)
  const state = await withStores(shell, loaded, (_, stores) => readKnownState(stores))
  const { name, verify } = loaded.plan
  const rows = statusRows(state.progress, { heardWithin: verify.heardWithin, now: shell.clock() })
  if (json === true) out.write(renderStatusJson(rows, name))
  else out.write(renderStatus(rows, { name, now: shell.clock(), width: out.width, style: out.style }))
  if (state.read.status === 'absent')
    tell(
      err,
      'note',
      `nothing was applied yet: there is no state ${loaded.plan.state.http?.address ?? loaded.plan.state.file}`,
    )
  else if (state.read.tornTail)
    tell(err, 'note', 'the last line of the state was cut short by a kill; the next apply goes on before it')
  return exitCodeOf('done')
}
