import { describe, expect, it } from 'vitest'
import { csvSheets } from '../../../src/engine/device/export-csv.ts'
import { AS, abp, device, IS, JS, NS } from './support.ts'

/** Columns that the importer of The Things Stack takes blank as nothing (tried with 3.32.1). */
const MAY_BE_BLANK =
  /^(name|description|frequency_plan_id|brand_id|model_id|hardware_version|firmware_version|band_id)$/

const named = (id: string, record: ReturnType<typeof device>) => ({
  ...record,
  ids: { ...record.ids, deviceId: id },
})

describe('a CSV of The Things Stack', () => {
  const fleet = [
    named('abp-1', abp({ [NS]: { 'mac_settings.rx1_delay': 'RX_DELAY_5' } })),
    named('kept-1', device({ [IS]: { name: 'One' } })),
    named('kept-2', device()),
    named('class-c', device({ [NS]: { supports_class_c: true } })),
    named('abp-2', abp()),
    named('new-1', device({ [NS]: { 'session.dev_addr': null, mac_state: null }, [AS]: 'absent' })),
  ]

  it('has no blank cell that an import would take for a zero', () => {
    for (const withKeys of [true, false])
      for (const { headings, rows } of csvSheets(fleet, withKeys))
        for (const row of rows)
          for (const [index, cell] of row.entries())
            if (!MAY_BE_BLANK.test(headings[index] ?? ''))
              expect(cell, `${row[0]} ${headings[index]}`).not.toBe('')
  })

  it('holds every device once, most of them in the first', () => {
    const sheets = csvSheets(fleet, true)
    expect(sheets.flatMap(({ rows }) => rows.map(([id]) => id)).sort()).toEqual(
      fleet.map(({ ids }) => ids.deviceId).sort(),
    )
    expect(sheets.map(({ rows }) => rows.length)).toEqual([3, 1, 1, 1])
  })

  it('says of the others that they are not of class C where one is', () => {
    const [first] = csvSheets(fleet, true)
    const column = first?.headings.indexOf('supports_class_c') ?? -1
    expect(first?.rows.map((row) => row[column])).toEqual(['false', 'false', 'true'])
    expect(csvSheets([fleet[1] ?? device()], true)[0]?.headings).not.toContain('supports_class_c')
  })

  it('has no column of keys or sessions without them', () => {
    const headings = csvSheets(fleet, false).flatMap((sheet) => sheet.headings)
    expect(headings.filter((heading) => /key|dev_addr|f_cnt_(up|down)/.test(heading))).toEqual([])
    expect(csvSheets([], true)).toEqual([])
    expect(fleet[1]?.registries[JS]).toBeDefined()
  })
})
