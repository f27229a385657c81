import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ACTIONS, type ChangeSet, type DeviceChange } from '../../../src/domain/change-set.ts'
import { parseChangeSet, serialiseChangeSet } from '../../../src/engine/planning/change-set-file.ts'
import { groupChanges } from '../../../src/report/groups.ts'
import { previewJson, renderJson } from '../../../src/report/json.ts'
import { type Style, TONES } from '../../../src/report/layout.ts'
import { renderMarkdown } from '../../../src/report/markdown.ts'
import { renderText } from '../../../src/report/text.ts'
import { countActions, judge } from '../../../src/report/verdict.ts'
import { displayWidth } from '../../../src/report/width.ts'
import {
  abpKept,
  blocked,
  change,
  changeSet,
  excluded,
  GUARDS_OK,
  hostile,
  joiningAnew,
  OTAA_C,
  retiring,
  SAMPLES,
  secret,
  sessionKept,
  settled,
  updated,
} from '../../support/change-sets.ts'
import {
  abpReprogrammed,
  becomesOtaa,
  deletedFirst,
  everyWay,
  group,
  joinsByHand,
  otaaReprogrammed,
  silentUntilJoin,
  toldToJoin,
} from '../../support/change-sets-ways.ts'

const FILE = 'building-a.changes.jsonl'
const ALL: Readonly<Record<string, () => ChangeSet>> = { ...SAMPLES, ways: everyWay }
const sample = (name: string): ChangeSet => (ALL[name] as () => ChangeSet)()
const golden = (file: string): string => `./golden/${file}`

const any = fc.oneof(
  fc.constantFrom<(number: number) => DeviceChange>(
    joiningAnew,
    (number) => joiningAnew(number, OTAA_C),
    sessionKept,
    abpKept,
    (number) => abpKept(number, 'abp-reset'),
    retiring,
    (number) => deletedFirst(number),
    (number) => deletedFirst(number, true),
    (number) => toldToJoin(number),
    (number) => otaaReprogrammed(number),
    (number) => otaaReprogrammed(number, 'same'),
    abpReprogrammed,
    becomesOtaa,
    group,
    (number) => joinsByHand(number, OTAA_C),
    (number) => silentUntilJoin(number, `silent for ${number % 3} h`),
    excluded,
    (number) => settled(number, 'adopt'),
    (number) => settled(number, 'done'),
    (number) => settled(number, 'wait'),
    (number) => settled(number, 'gone'),
    (number) => blocked(number, { code: 'EuisTaken' }),
    (number) => blocked(number, { code: 'HalfRegistered', message: 'no Join Server' }),
    (number) => updated(number, [change('identity-server', 'name', 'a', 'b')]),
    (number) => updated(number, [change('network-server', 'mac_settings.rx1_delay', 1, number % 3)]),
  ),
  fc.string({ unit: 'binary', maxLength: 80 }).map((name) => (number: number) => hostile(number, name)),
)
const fleet = fc
  .array(any, { maxLength: 60 })
  .map((makers) => changeSet(makers.map((make, index) => make(index + 1))))

/** Whoever prints it to a terminal or a page: no escape, no control, no direction. */
const UNSAFE =
  /(?!\n)[\p{Cc}\p{Zl}\p{Zp}\u00AD\u061C\u200B\u200C\u200E\u200F\u202A-\u202E\u2060-\u206F\uFEFF]/u

describe('the preview of a change set that a person meets', () => {
  for (const name of Object.keys(ALL)) {
    for (const width of [60, 80, 120]) {
      it(`${name} at ${width} columns`, async () => {
        const text = renderText(sample(name), { width, file: FILE })
        await expect(text).toMatchFileSnapshot(golden(`${name}-${width}.txt`))
      })
    }
    it(`${name} as Markdown`, async () => {
      await expect(renderMarkdown(sample(name), { file: FILE })).toMatchFileSnapshot(golden(`${name}.md.txt`))
    })
  }

  for (const name of ['ready', 'risks', 'blocked', 'no-changes']) {
    it(`${name} as JSON`, async () => {
      await expect(renderJson(sample(name))).toMatchFileSnapshot(golden(`${name}.json.txt`))
    })
  }
})

describe('a preview for a terminal', () => {
  it('has no line that is wider than the terminal, and nothing that moves a cursor', () => {
    fc.assert(
      fc.property(fleet, fc.integer({ min: 60, max: 160 }), (devices, width) => {
        const text = renderText(devices, { width })
        for (const line of text.split('\n')) {
          expect(displayWidth(line)).toBeLessThanOrEqual(width)
          expect(line).toBe(line.trimEnd())
        }
        expect(text).not.toMatch(UNSAFE)
      }),
      { numRuns: 150 },
    )
  })

  it('is laid out for 60 columns where the terminal has less', () => {
    expect(renderText(sample('risks'), { width: 20 })).toBe(renderText(sample('risks'), { width: 60 }))
  })

  it('says the same with colour as without', () => {
    const style = Object.fromEntries(
      TONES.map((tone) => [tone, (text: string) => `\u001b[1m${text}\u001b[0m`]),
    ) as unknown as Style
    const coloured = renderText(sample('risks'), { width: 80, style })
    expect(coloured).toContain('\u001b[1m')
    expect(coloured.replaceAll('\u001b[1m', '').replaceAll('\u001b[0m', '')).toBe(
      renderText(sample('risks'), { width: 80 }),
    )
  })

  it('begins with plan and verdict, and ends with the sum', () => {
    const lines = renderText(sample('risks'), { width: 120 }).trimEnd().split('\n')
    expect(lines[0]).toMatch(/^building-a {3}plan [0-9a-f]{12} {3}READY WITH RISKS$/)
    expect(lines.slice(-2).join(' ')).toMatch(/READY WITH RISKS {2}Plan .* 6 blocked, of 73\.$/)
  })

  it('tells risks before changes, and zero as zero', () => {
    const text = renderText(sample('ready'), { width: 120 })
    expect(text).toContain('deletes on the source: 0')
    expect(text).toContain('deletes on the target: 0')
    expect(text.indexOf('\nRisks')).toBeLessThan(text.indexOf('\nChanges'))
    expect(text.indexOf('\nBlocked')).toBeLessThan(text.indexOf('\nChanges'))
  })
})

describe('all renderings', () => {
  it('count every device once', () => {
    fc.assert(
      fc.property(fleet, (devices) => {
        const counts = countActions(devices)
        const total = devices.devices.length
        expect(ACTIONS.reduce((sum, action) => sum + counts[action], 0)).toBe(total)
        expect(groupChanges(devices).reduce((sum, group) => sum + group.devices.length, 0)).toBe(total)
        const { summary } = previewJson(devices) as { summary: Record<string, number> }
        expect(ACTIONS.reduce((sum, action) => sum + (summary[action] ?? 0), 0)).toBe(summary['devices'])
        const lines = renderText(devices).split('\n')
        const start = lines.findIndex((line) => /^[\d,]+ devices?$/.test(line))
        const rows = lines.slice(start + 1, lines.indexOf('', start))
        const numbers = rows.map((row) => /^ {2}\S [a-z]+ +([\d,]+) {2}/.exec(row)?.[1]?.replaceAll(',', ''))
        expect(numbers.reduce((sum, number) => sum + Number(number ?? 0), 0)).toBe(total)
      }),
    )
  })

  it('are the same bytes for the same change set, saved and read back in between', () => {
    fc.assert(
      fc.property(fleet, (devices) => {
        const again = parseChangeSet(serialiseChangeSet(devices))
        expect(renderText(again)).toBe(renderText(devices))
        expect(renderMarkdown(again)).toBe(renderMarkdown(devices))
        expect(renderJson(again)).toBe(renderJson(devices))
      }),
      { numRuns: 30 },
    )
  })

  it('show no key, even one that was not marked as a secret', () => {
    const key = '2B7E151628AED2A6ABF7158809CF4F3C'
    const leak = changeSet([
      updated(1, [
        change('join-server', 'root_keys.app_key.key', 'short-but-secret', key),
        change(
          'network-server',
          'session.keys',
          { app_s_key: { key } },
          { app_s_key: { key: 'short-but-secret' } },
        ),
        change(
          'identity-server',
          'attributes',
          { note: key },
          { note: `AppKey ${key}`, password: 'short-but-secret' },
        ),
        change(
          'application-server',
          'formatters',
          { script: `// ${key}\nx` },
          { script: `// ${key.toLowerCase()}\ny` },
        ),
      ]),
      blocked(2, { code: 'EuisTaken', message: `key ${key}`, hint: `use ${key}` }),
    ])
    for (const text of [renderText(leak), renderMarkdown(leak), renderJson(leak)]) {
      expect(text.toUpperCase()).not.toContain(key)
      expect(text).not.toContain('short-but-secret')
    }
    expect(renderText(leak)).toContain('(sensitive, changes)')
  })

  it('say of a secret only whether it changes', () => {
    const set = changeSet([
      updated(1, [secret('join-server', 'root_keys.app_key.key', 'changes')]),
      updated(2, [secret('join-server', 'root_keys.nwk_key.key', 'removed')]),
    ])
    expect(renderText(set)).toContain('root_keys.app_key.key  (sensitive, changes)')
    const groups = (previewJson(set) as { groups: { common: Record<string, unknown>[] }[] }).groups
    for (const field of groups.flatMap((group) => group.common)) {
      expect(Object.keys(field).sort()).toEqual(['path', 'reason', 'redacted', 'registry', 'verdict'])
    }
  })
})

describe('the JSON document', () => {
  it('tells how devices cross, what is made, and every device of a check list', () => {
    const document = JSON.parse(renderJson(everyWay()))
    expect(document.summary).toMatchObject({
      crossing: 57,
      crossing_by: { 'stop-first': 35, 'delete-first': 5, triggered: 5, 're-programmed': 10, multicast: 2 },
      held_by_escrow: 2,
    })
    expect(document.groups[0]).toMatchObject({ status: 'held-by-escrow', handover: 'delete-first', count: 2 })
    const hand = document.needs_a_hand.find((each: { name: string }) => each.name === 'join-by-hand')
    expect(hand.list.items.map((item: { devices: string[] }) => item.devices.length)).toEqual([2, 25])
    const device = document.devices.find((each: { device: string }) => each.device === 'parking-301')
    const made = device.diff.filter((field: { after?: unknown }) => field.after === 'generated')
    expect(made.map((field: { path: string }) => field.path)).toEqual([
      'session.dev_addr',
      'session.keys.f_nwk_s_int_key.key',
      'session.dev_addr',
      'session.keys.app_s_key.key',
    ])
    for (const field of made) expect(field).not.toHaveProperty('before')
  })
})

describe('the option that lifts a guard', () => {
  const failed = GUARDS_OK.map((guard) => ({ ...guard, used: 20, ok: false }))
  const texts = (...devices: readonly DeviceChange[]): readonly string[] => {
    const set = changeSet(devices, { guards: failed })
    return [renderText(set), renderMarkdown(set), renderJson(set)]
  }

  it('is named only where it would get something done', () => {
    const [text, markdown] = texts(joiningAnew(1), blocked(2, { code: 'EuisTaken' }))
    expect(text).toContain('--allow blocked-devices=20')
    expect(markdown).toContain('--allow blocked-devices=20')
    for (const idle of texts(settled(1, 'done'), settled(2, 'wait'), blocked(3, { code: 'EuisTaken' }))) {
      expect(idle).toContain('blocked-devices')
      expect(idle).not.toContain('--allow')
    }
  })
})

describe('Markdown', () => {
  it('stays within what GitHub takes, and says what it left out', () => {
    for (const set of [
      sample('fleet'),
      changeSet(
        Array.from({ length: 300 }, (_, index) => hostile(index + 1, `${index} ${'@*|`'.repeat(90)}`)),
      ),
    ]) {
      const text = renderMarkdown(set, { file: FILE })
      expect(text.length).toBeLessThanOrEqual(65_000)
      for (const part of ['## READY WITH RISKS', '### Risks', '| Guard |', 'Blocked', 'Digest']) {
        expect(text).toContain(part)
      }
    }
    expect(
      renderMarkdown(changeSet(Array.from({ length: 300 }, (_, index) => hostile(index + 1, `n${index}`)))),
    ).toContain('Left out for length')
  })

  it('names the command that shows the fields which a group leaves out', () => {
    const many = changeSet([
      updated(
        1,
        Array.from({ length: 25 }, (_, index) => change('identity-server', `attributes.a${index}`, 'a', 'b')),
      ),
    ])
    expect(renderMarkdown(many, { file: FILE })).toContain(
      `(13 more fields: \`ferry show ${FILE} --group G1\``,
    )
  })

  it('keeps headline, guards, risks and blocked at any budget that holds them', () => {
    const text = renderMarkdown(sample('risks'), { budget: 9_000 })
    expect(text.length).toBeLessThanOrEqual(9_000)
    for (const part of ['READY WITH RISKS', '| Guard |', '**R1**', 'EuisTaken', 'Left out for length']) {
      expect(text).toContain(part)
    }
  })

  it('is safe whatever devices are named', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (name) => {
        const text = renderMarkdown(changeSet([hostile(1, name)]))
        expect(text).not.toMatch(UNSAFE)
        const fences = text.split('\n').filter((line) => /^`{3,}/.test(line))
        expect(fences.length % 2).toBe(0)
      }),
    )
    const text = renderMarkdown(sample('hostile'))
    const outside = text
      .replace(/^(`{3,})\w*\n[\s\S]*?\n\1$/gm, '')
      .replace(/(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)/g, '')
    expect(outside).not.toMatch(/<script|<img|@everyone|[^\\]\[link\]\(|https:\/\//)
  })
})

describe('the verdict', () => {
  it('is BLOCKED where an apply would refuse', () => {
    const failed = GUARDS_OK.map((guard) => ({ ...guard, ok: false }))
    expect(judge(changeSet([joiningAnew(1)], { guards: failed })).verdict).toBe('BLOCKED')
    expect(judge(changeSet([joiningAnew(1)], { complete: false })).verdict).toBe('BLOCKED')
    expect(judge(changeSet([blocked(1, { code: 'EuisTaken' }), settled(2, 'done')])).verdict).toBe('BLOCKED')
    const error = { code: 'UnknownDevice', severity: 'error', message: 'no such device' } as const
    expect(judge(changeSet([joiningAnew(1)], { findings: [error] })).verdict).toBe('BLOCKED')
  })

  it('is NO CHANGES where nothing is left, blocked devices beside waiting ones apart', () => {
    expect(judge(changeSet([])).verdict).toBe('NO CHANGES')
    expect(judge(changeSet([settled(1, 'done'), excluded(2)])).verdict).toBe('NO CHANGES')
    expect(judge(changeSet([settled(1, 'wait'), blocked(2, { code: 'EuisTaken' })])).verdict).toBe(
      'NO CHANGES',
    )
  })

  it('is READY only where nothing asks for a decision', () => {
    expect(judge(sample('ready')).verdict).toBe('READY')
    expect(judge(changeSet([abpKept(1)], { coverage: { gateways: 'on-target' } })).verdict).toBe(
      'READY WITH RISKS',
    )
    expect(judge(changeSet([settled(1, 'adopt')])).verdict).toBe('READY')
    expect(judge(changeSet([settled(1, 'adopt'), blocked(2, { code: 'EuisTaken' })])).verdict).toBe(
      'READY WITH RISKS',
    )
  })
})
