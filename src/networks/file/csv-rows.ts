import { Readable } from 'node:stream'
import { type CsvError, parse } from 'csv-parse'
import { parse as parseAtOnce } from 'csv-parse/sync'
import { FerryError } from '../../domain/errors.ts'
import type { Bytes } from './bytes.ts'

export interface RowAt {
  readonly offset: number
  readonly length: number
  /** Line of the file on which the row begins, from 1. */
  readonly line: number
  readonly cells: readonly string[]
}

const SEPARATORS = [';', '\t', ','] as const
export type Separator = (typeof SEPARATORS)[number]

/** The separator of a file, by its line of headings: the one that is there most, outside of quotes. */
export const separatorOf = (head: Buffer): Separator => {
  const [first = ''] = head.toString('utf8').split(/\r?\n|\r/, 1)
  const bare = first.replace(/"(?:[^"]|"")*"/g, '')
  const counts = SEPARATORS.map((separator) => bare.split(separator).length)
  return SEPARATORS[counts.indexOf(Math.max(...counts))] ?? ','
}

/** Cells are trimmed, rows may be short, and lines that are empty are no rows. */
const options = (separator: Separator) =>
  ({
    delimiter: separator,
    bom: true,
    trim: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: 1 << 20,
  }) as const

const brokenRow = (name: string, error: CsvError): FerryError =>
  new FerryError('plan-invalid', 'FileBroken', `${name}:${lineOf(error)}:1 ${what(error)}`, {
    hint: 'look at the quotes of that row: one that begins a cell has to end it',
    cause: error,
  })

const lineOf = ({ lines }: CsvError & { readonly lines?: number }): number => lines ?? 1

const what = ({ code }: CsvError): string =>
  code === 'CSV_QUOTE_NOT_CLOSED'
    ? 'has a quote that is not closed'
    : code === 'CSV_MAX_RECORD_SIZE'
      ? 'has a row of more than 1 MiB'
      : 'has a quote within a cell'

/**
 * All rows with their places, the line of headings first.
 * @throws FerryError kind `plan-invalid`, `FileBroken`, with the line
 */
export async function* csvRows(file: Bytes, name: string, separator: Separator): AsyncGenerator<RowAt> {
  const parser = Readable.from(file.chunks()).pipe(parse({ ...options(separator), info: true }))
  let offset = file.start
  // The parser counts a line break of two bytes in a cell as two lines.
  let counted = 0
  try {
    for await (const item of parser) {
      const { record, info } = item as { record: string[]; info: { bytes: number; lines: number } }
      const text = record.join('')
      counted += breaks(text, /\r\n/g)
      const end = file.start + info.bytes
      const line = info.lines - counted - breaks(text, /\r\n|\n|\r/g)
      yield { offset, length: end - offset, line, cells: record }
      offset = end
    }
  } catch (error) {
    if (isCsvError(error)) throw brokenRow(name, error)
    throw error
  }
}

const breaks = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0

const isCsvError = (error: unknown): error is CsvError =>
  error instanceof Error &&
  typeof (error as CsvError).code === 'string' &&
  /^CSV_/.test((error as CsvError).code)

/** The cells of one row whose place is known. */
export const cellsOf = (bytes: Buffer, separator: Separator): readonly string[] =>
  (parseAtOnce(bytes, options(separator)) as string[][])[0] ?? []
