import type { Output } from '../shell.ts'

/** Says what happens, in few words, and keeps count of what was claimed and held. */
export interface Teller {
  chapter(title: string): void
  say(text: string): void
  command(argv: readonly string[]): void
  /** A row of a table. */
  row(cells: readonly string[], widths: readonly number[]): void
  /** A claim with its proof; a story in which one does not hold fails. */
  claim(text: string, holds: boolean, otherwise?: string): void
  readonly held: () => number
  readonly broken: () => readonly string[]
}

export const tellerOn = (out: Output): Teller => {
  let number = 0
  let held = 0
  const broken: string[] = []
  return {
    chapter: (title) => {
      number += 1
      out.write(`\n${out.style.bold(`${number}. ${title}`)}\n\n`)
    },
    say: (text) => out.write(`${text}\n`),
    command: (argv) => out.write(`${out.style.bold(`$ ferry ${argv.join(' ')}`)}\n`),
    row: (cells, widths) => {
      const line = cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ')
      out.write(`  ${line.trimEnd()}\n`)
    },
    claim: (text, holds, otherwise) => {
      if (holds) held += 1
      else broken.push(text)
      const mark = holds ? out.style.green('ok') : out.style.red('NO')
      out.write(`  ${mark}  ${text}${holds || otherwise === undefined ? '' : ` (${otherwise})`}\n`)
    },
    held: () => held,
    broken: () => broken,
  }
}
