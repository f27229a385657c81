/** `--debug` takes no word that follows it by accident: `ferry --debug plan x.yaml` must not write into `plan`. */

const DEFAULT_FILE = 'ferry-debug.log'

export interface DebugOption {
  readonly file: string | undefined
  /** The command line with a plain `--debug` in the place of one with a file. */
  readonly argv: readonly string[]
}

/** Reads `--debug`, `--debug=FILE`, and `--debug FILE` where FILE ends in `.log`. */
export const debugOption = (given: readonly string[]): DebugOption => {
  let file: string | undefined
  const argv: string[] = []
  for (let index = 0; index < given.length; index += 1) {
    const word = given[index] ?? ''
    if (word === '--') return { file, argv: [...argv, ...given.slice(index)] }
    if (word === '--debug') {
      const next = given[index + 1]
      const isFile = next !== undefined && /^[^-].*\.log$|^\.log$/.test(next)
      file = isFile ? next : DEFAULT_FILE
      if (isFile) index += 1
      argv.push(word)
    } else if (word.startsWith('--debug=')) {
      file = word.slice('--debug='.length) || DEFAULT_FILE
      argv.push('--debug')
    } else argv.push(word)
  }
  return { file, argv }
}
