import type { Annotation } from './annotation.ts'

const LEVELS = { error: 'error', warning: 'warning', note: 'notice' } as const

/** In the text of a command; GitHub's runner decodes these. */
const data = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')

/** In a property of a command, whose separators are escaped too. */
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')

/** Workflow commands of GitHub Actions, which show findings in the files of a pull request. */
export const githubCommands = (annotations: readonly Annotation[]): string =>
  annotations
    .map(({ severity, file, line, column, code, message, hint }) => {
      const place = `file=${property(file)},line=${line},col=${column},title=${property(code)}`
      const text = hint === undefined ? message : `${message}\nhint: ${hint}`
      return `::${LEVELS[severity]} ${place}::${data(text)}\n`
    })
    .join('')
