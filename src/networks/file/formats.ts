import { isUtf8 } from 'node:buffer'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import { FerryError } from '../../domain/errors.ts'
import type { Json } from '../../domain/json.ts'
import type { FileEnd } from '../../domain/migration-plan.ts'
import { objectOf } from '../things-stack/json-tree.ts'
import type { Bytes } from './bytes.ts'
import type { Format } from './catalogue.ts'
import { columnsOf, type HeadingProblem, isThingsStackCsv } from './columns.ts'
import { describedBy } from './csv-device.ts'
import { cellsOf, csvRows, separatorOf } from './csv-rows.ts'
import { jsonObjects } from './json-objects.ts'

const refuse = (
  code: string,
  message: string,
  hint: string,
  diagnostics: readonly Diagnostic[] = [],
): FerryError => new FerryError('plan-invalid', code, message, { hint, diagnostics })

const notUtf8 = (name: string, line: number): FerryError =>
  refuse(
    'FileNotText',
    `${name}:${line} has bytes that are not UTF-8`,
    'save it as UTF-8; a spreadsheet program calls it "CSV UTF-8"',
  )

/** EndDevices of The Things Stack as JSON. */
const devicesJson = (file: Bytes, name: string): Format => {
  const treeOf = (bytes: Buffer, line: number): Json => {
    if (!isUtf8(bytes)) throw notUtf8(name, line)
    try {
      return JSON.parse(bytes.toString('utf8')) as Json
    } catch {
      // What the parser says quotes the text, which holds keys.
      throw refuse('FileBroken', `${name}:${line} begins an object that is not JSON`, 'correct it')
    }
  }
  const describe: Format['describe'] = (bytes, line) => {
    const tree = objectOf(treeOf(bytes, line)) ?? {}
    // Some tools put it into an envelope, as the converter of the Console does.
    return { tree: objectOf(tree['end_device']) ?? tree, findings: [] }
  }
  return {
    isCsv: false,
    describe,
    entries: async function* () {
      for await (const { offset, length, line, bytes } of jsonObjects(file, name))
        yield { offset, length, line, ...describe(bytes, line) }
    },
  }
}

const told = (name: string, problem: HeadingProblem): Diagnostic =>
  problem.code === 'CsvHeadingTwice'
    ? {
        code: problem.code,
        severity: 'error',
        message: `${name} has the heading "${problem.heading}" in columns ${problem.columns.join(' and ')}`,
        hint: 'give one of them another heading',
      }
    : {
        code: problem.code,
        severity: 'error',
        message: `${name} has no column "${problem.heading}"`,
        hint: 'write a heading of the file into source.columns',
      }

/** A CSV with a line of headings. `columns` where the plan names them, else it is The Things Stack's. */
const csv = async (file: Bytes, name: string, named: FileEnd['columns']): Promise<Format> => {
  const separator = separatorOf(file.head)
  const headings = await headingsOf(file, name)
  const { columns, problems } = columnsOf(headings, named)
  const [first] = problems.map((problem) => told(name, problem))
  if (first !== undefined)
    throw refuse(
      first.code,
      first.message,
      first.hint ?? '',
      problems.map((problem) => told(name, problem)),
    )
  return {
    isCsv: true,
    describe: (bytes, line) => describedBy(cellsOf(bytes, separator), columns, line),
    entries: async function* () {
      let isHeading = true
      for await (const { offset, length, line, cells } of csvRows(file, name, separator)) {
        if (!isHeading) {
          if (cells.some((cell) => cell.includes('\uFFFD'))) throw notUtf8(name, line)
          yield { offset, length, line, ...describedBy(cells, columns, line) }
        }
        isHeading = false
      }
    },
  }
}

/** The first line of a CSV. */
export const headingsOf = async (file: Bytes, name: string): Promise<readonly string[]> => {
  for await (const { cells } of csvRows(file, name, separatorOf(file.head))) return cells
  return []
}

/** JSON, as its first character says, and the vendor's CSV by its headings. */
export const isJson = (file: Bytes): boolean => /^\s*(?:[{[]|$)/.test(file.head.toString('utf8'))

const unknown = (name: string): FerryError =>
  refuse(
    'FileFormatUnknown',
    `${name} is neither devices.json nor a CSV of The Things Stack`,
    'name the columns of another CSV in source.columns',
  )

/**
 * What a file is.
 * @throws FerryError kind `plan-invalid`: `FileFormatUnknown`, `CsvHeadingMissing`, `CsvHeadingTwice`
 */
export const formatOf = async (
  file: Bytes,
  { name, format, columns }: Pick<FileEnd, 'name' | 'format' | 'columns'>,
): Promise<Format> => {
  switch (format) {
    case 'devices-json':
      return devicesJson(file, name)
    case 'csv':
      return csv(file, name, columns)
    case 'things-stack-csv':
    case 'auto': {
      if (format === 'auto' && isJson(file)) return devicesJson(file, name)
      if (!isThingsStackCsv(await headingsOf(file, name))) throw unknown(name)
      return csv(file, name, undefined)
    }
  }
}
