import { FerryError, replaceFile } from '../index.ts'
import type { Shell } from './shell.ts'

/** Where a command that writes keys in the clear was told to write them. */
export interface KeysOut {
  readonly output?: string
  readonly stdout?: boolean
}

/**
 * Keys go where somebody said, and never into a pipe or a log by themselves.
 * @throws FerryError `usage`: `KeysUnasked` for neither -o nor --stdout, `TooMuchAsked` for both.
 */
export const refuseUnclear = ({ output, stdout }: KeysOut, what: string, example: string): void => {
  if ((output !== undefined) !== (stdout === true)) return
  if (stdout === true) {
    throw new FerryError('usage', 'TooMuchAsked', '-o and --stdout can not be given together', {
      hint: 'give one of them',
    })
  }
  throw new FerryError('usage', 'KeysUnasked', `${what} in the clear, and nobody said where they go`, {
    hint: `name a file with -o ${example}, or give --stdout`,
  })
}

/** Writes keys to the file that was named, mode 0600, or to stdout. */
export const writeKeys = async (shell: Shell, { output }: KeysOut, text: string): Promise<void> => {
  if (output === undefined) shell.out.write(text)
  else await replaceFile(output, Buffer.from(text), { code: 'FileNotWritten' })
}
