import { FerryError } from '../../index.ts'
import { isMachineFormat } from '../../report/machines/formats.ts'
import { renderDevice, renderGroup } from '../../report/show.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { changeSetFrom } from '../plan-file.ts'
import type { Command } from '../shell.ts'
import { type Format, renderPreview } from './plan.ts'

interface ShowOptions {
  readonly group?: string
  readonly device?: string
  readonly format?: Format
}

/** `ferry show <change-set>` */
export const show: Command<ShowOptions> = async ({ out }, [file = ''], options) => {
  if (options.group !== undefined && options.device !== undefined) {
    throw new FerryError('usage', 'TooMuchAsked', '--group and --device can not be given together', {
      hint: 'give one of them',
    })
  }
  const changeSet = await changeSetFrom(file)
  const format = options.json === true ? 'json' : (options.format ?? 'text')
  if (options.group === undefined && options.device === undefined) {
    out.write(renderPreview(changeSet, format, out, file))
    return exitCodeOf('done')
  }
  if (isMachineFormat(format)) {
    throw new FerryError('usage', 'TooMuchAsked', `--format ${format} is for the whole change set`, {
      hint: 'leave out --group and --device',
    })
  }
  const how = { format, file, width: out.width, style: out.style }
  out.write(
    options.group !== undefined
      ? renderGroup(changeSet, options.group, how)
      : renderDevice(changeSet, options.device ?? '', how),
  )
  return exitCodeOf('done')
}
