import { createInterface } from 'node:readline'

/**
 * Puts a question on the error output and reads one line; undefined where the input ends first or `cancelled`
 * resolves. The terminal stays in its own line mode, so that Ctrl-C is a signal as everywhere.
 */
export const askOn = (
  input: NodeJS.ReadableStream,
  write: (text: string) => void,
  question: string,
  cancelled: Promise<void>,
): Promise<string | undefined> =>
  new Promise((resolve) => {
    write(question)
    const lines = createInterface({ input, terminal: false })
    let answer: string | undefined
    lines.once('line', (line) => {
      answer = line.trim()
      lines.close()
    })
    lines.once('close', () => {
      if (answer === undefined) write('\n')
      input.pause()
      resolve(answer)
    })
    void cancelled.then(() => lines.close())
  })
