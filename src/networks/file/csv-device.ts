import type { Diagnostic } from '../../domain/diagnostic.ts'
import type { Json } from '../../domain/json.ts'
import { type JsonObject, objectOf, treeOf, valueAt } from '../things-stack/json-tree.ts'
import type { Column } from './columns.ts'
import { cellValue } from './values.ts'

/** A device as a file describes it: an EndDevice of The Things Stack, keys in the clear. */
export interface Described {
  readonly tree: JsonObject
  /** Without subject: which device it is about is not known yet. */
  readonly findings: readonly Omit<Diagnostic, 'subject'>[]
}

/** Where a value is, as people find it: `row 12, column "Dev EUI"`. */
const placeOf = (line: number, { heading }: Column): string => `row ${line}, column "${heading}"`

/** One row of a CSV as a device. `line` is that of the row. */
export const describedBy = (
  cells: readonly string[],
  columns: readonly Column[],
  line: number,
): Described => {
  const findings: Omit<Diagnostic, 'subject'>[] = []
  const entries: [string, Json][] = []
  for (const column of columns) {
    const text = cells[column.index]?.trim() ?? ''
    if (text === '') continue
    const found = cellValue(column.kind, text)
    const place = placeOf(line, column)
    if ('problem' in found) {
      const { problem, hint } = found
      findings.push({ code: 'CsvValueWrong', severity: 'error', message: `${place}: ${problem}`, hint })
      continue
    }
    entries.push([column.path, found.value])
    if (found.repaired !== undefined)
      findings.push({
        code: 'CsvValueRepaired',
        severity: 'warning',
        message: `${place}: ${found.repaired}`,
        hint: 'check it against the device, or format the column as text before you save the file',
      })
  }
  return { tree: completed(treeOf(entries)), findings }
}

/** What follows from what a row says. */
const completed = (tree: JsonObject): JsonObject => {
  const { class: deviceClass, ...others } = tree
  const location = objectOf(valueAt(others, 'locations.user'))
  return {
    ...others,
    ...(tree['root_keys'] === undefined ? {} : { supports_join: true }),
    ...(deviceClass === 'B' ? { supports_class_b: true } : {}),
    ...(deviceClass === 'C' ? { supports_class_c: true } : {}),
    ...(location === undefined ? {} : { locations: { user: { ...location, source: 'SOURCE_REGISTRY' } } }),
  }
}
