import type { WriteStream } from 'node:tty'
import { DEFAULT_WIDTH } from '../report/layout.ts'
import { styleFor } from './colour.ts'
import type { Output } from './shell.ts'

type Stream = Pick<WriteStream, 'write' | 'on' | 'once' | 'isTTY' | 'columns' | 'writableLength'>

export interface ProcessOutput extends Output {
  /** Returns once everything was handed to the system, or the reader is gone. */
  flush(): Promise<void>
}

/**
 * A stream of the process. A reader that goes away (`ferry plan | head`) is no error and ends no work: what comes
 * after is dropped.
 */
export const outputTo = (
  stream: Stream,
  env: Readonly<Record<string, string | undefined>>,
  refusesColour: boolean,
): ProcessOutput => {
  let isOpen = true
  stream.on('error', () => {
    isOpen = false
  })
  const isTerminal = stream.isTTY === true
  return {
    isTerminal,
    get width() {
      return isTerminal && stream.columns > 0 ? stream.columns : DEFAULT_WIDTH
    },
    style: styleFor({ isTerminal, env, refused: refusesColour }),
    write: (text) => {
      if (isOpen && text !== '') stream.write(text)
    },
    flush: () =>
      new Promise((resolve) => {
        if (!isOpen || stream.writableLength === 0) {
          resolve()
          return
        }
        stream.once('error', () => resolve())
        stream.write('', () => resolve())
      }),
  }
}
