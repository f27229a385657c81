import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  csvCell,
  harmless,
  harmlessJson,
  htmlText,
  markdownCode,
  markdownFence,
  markdownText,
  quoted,
  shellWord,
} from '../../../src/report/escape.ts'
import { fieldView } from '../../../src/report/field-view.ts'
import { line, PLAIN_STYLE, renderLines } from '../../../src/report/layout.ts'
import { cut, displayWidth, padEnd, padStart } from '../../../src/report/width.ts'
import { duration } from '../../../src/report/words.ts'
import { absent, change, FORMATTER, HOSTILE_NAMES, leave, MAC_STATE } from '../../support/change-sets.ts'

const text = fc.string({ unit: 'binary', maxLength: 80 })

describe('text that others chose', () => {
  it('is one harmless line, and harmless text is left as it is', () => {
    fc.assert(
      fc.property(text, (value) => {
        const safe = harmless(value)
        expect(safe).not.toMatch(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]/u)
        expect(harmless(safe)).toBe(safe)
      }),
    )
    for (const plain of ['Zähler 7', '温度センサー', '👩‍🚀 👍🏽 🇩🇪', 'a-b_c'])
      expect(harmless(plain)).toBe(plain)
  })

  it('shows what can not be seen', () => {
    expect(harmless('\u001b[31m')).toBe('\\u001b[31m')
    expect(harmless('a\nb\tc\u202Ed\u00A0e\u{E0041}')).toBe('a\\nb\\tc\\u202ed\\u00a0e\\u{e0041}')
    expect(quoted('a "b" \\')).toBe('"a \\"b\\" \\\\"')
    expect(quoted('EU_863_870_TTN')).toBe('EU_863_870_TTN')
  })

  it('never holds what is as long as a key', () => {
    expect(harmless('x 000102030405060708090a0b0c0d0e0f.')).toBe('x (hex, not shown).')
    expect(harmless('70B3D57E00000001')).toBe('70B3D57E00000001')
  })

  it('is no markup, mention or link in Markdown', () => {
    expect(markdownText('@everyone <b>*x*</b> [l](https://e.example) | #12')).toBe(
      '@<!-- -->everyone &lt;b&gt;\\*x\\*&lt;/b&gt; \\[l\\](https:<!-- -->//e.example) \\| #<!-- -->12',
    )
    expect(htmlText('<b> & @me')).toBe('&lt;b&gt; &amp; @<!-- -->me')
    expect(markdownCode('a`b|c')).toBe('``a`b\\|c``')
    expect(markdownCode('``')).toBe('``` `` ```')
    expect(markdownCode('')).toBe('` `')
    expect(markdownFence(['a', '```'], 'text')).toEqual(['````text', 'a', '```', '````'])
  })

  it('is no formula in a spreadsheet and no command in a shell', () => {
    expect(csvCell('=1+1')).toBe("'=1+1")
    expect(csvCell(' -x,"y"')).toBe('"\' -x,""y"""')
    expect(csvCell('Meter 7')).toBe('Meter 7')
    expect(shellWord('a b;$(c)')).toBe("'a b;$(c)'")
    expect(shellWord("it's")).toBe("'it'\\''s'")
  })

  it('is the same value in JSON', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(JSON.parse(harmlessJson({ value }))).toEqual({ value })
      }),
    )
    expect(harmlessJson(HOSTILE_NAMES)).not.toMatch(/[\u202A-\u202E\u0080-\u009F]/)
  })
})

describe('columns', () => {
  it('are counted as a terminal does', () => {
    expect(displayWidth('abc')).toBe(3)
    expect(displayWidth('温度')).toBe(4)
    expect(displayWidth('e\u0301')).toBe(1)
    expect(displayWidth('👩‍🚀')).toBe(2)
    expect(displayWidth('🇩🇪')).toBe(2)
    expect(displayWidth('ｱ')).toBe(1)
  })

  it('are kept by cutting, filling and folding', () => {
    fc.assert(
      fc.property(text.map(harmless), fc.integer({ min: 3, max: 40 }), (value, width) => {
        expect(displayWidth(cut(value, width))).toBeLessThanOrEqual(width)
        expect(displayWidth(padEnd(cut(value, width), width))).toBe(width)
        expect(displayWidth(padStart(cut(value, width), width))).toBe(width)
      }),
    )
  })

  it('lose nothing but blanks when a line is folded', () => {
    fc.assert(
      fc.property(
        fc.array(text.map(harmless), { maxLength: 12 }),
        fc.integer({ min: 0, max: 30 }),
        (words, hang) => {
          const all = words.join(' ')
          const folded = renderLines([line(hang, all)], 60, PLAIN_STYLE)
          expect(folded.replace(/\s/g, '')).toBe(all.replace(/\s/g, ''))
          for (const each of folded.split('\n')) expect(displayWidth(each)).toBeLessThanOrEqual(60)
        },
      ),
    )
  })
})

describe('a field', () => {
  it('is shown with old and new value and the reason', () => {
    const view = fieldView(
      change('network-server', 'mac_settings.rx1_delay', 1, 5, 'plan', 'policy.rx1Delay'),
    )
    expect(view).toMatchObject({ symbol: '~', text: '1 s -> 5 s', reason: 'policy.rx1Delay', block: [] })
    expect(fieldView(change('identity-server', 'name', 'a', 'b', 'target-drifted')).reason).toBe(
      'was changed on the target',
    )
    expect(fieldView(leave('identity-server', 'name', 'a')).symbol).toBe('=')
    expect(fieldView({ ...change('identity-server', 'name', 'a', 'b'), after: absent })).toMatchObject({
      symbol: '-',
      text: 'a -> (absent)',
    })
  })

  it('with a long text is shown as a diff of few lines', () => {
    const view = fieldView(
      change('application-server', 'formatters.up', FORMATTER, FORMATTER.replace('/ 10', '/ 100')),
    )
    expect(view.text).toBe('(text of 7 lines -> text of 7 lines)')
    expect(view.block).toContain(
      '-     data: { temperature: input.bytes[0] / 10, humidity: input.bytes[1] },',
    )
    expect(view.block.length).toBeLessThanOrEqual(7)
  })

  it('with a large object is counted', () => {
    const large = { ...(MAC_STATE as object), more: Array.from({ length: 40 }, (_, index) => index) }
    const { absent: _absent, ...rest } = {
      absent: true,
      ...change('network-server', 'mac_state', large, large),
    }
    expect(fieldView({ ...rest, before: { absent: true } }).text).toBe('(carried, 45 values)')
    expect(fieldView(change('network-server', 'mac_state', large, { ...large, channels: 3 }))).toMatchObject({
      text: '(1 of 45 values change)',
      block: ['~ channels: 8 -> 3'],
    })
  })
})

describe('a duration', () => {
  it('is told in words', () => {
    const table: readonly (readonly [number, string])[] = [
      [400, '0 s'],
      [41_000, '41 s'],
      [12 * 60_000, '12 min'],
      [65 * 60_000, '1 h 5 min'],
      [24 * 3_600_000, '24 h'],
      [50 * 3_600_000, '2 days 2 h'],
      [7 * 86_400_000, '7 days'],
    ]
    for (const [milliseconds, words] of table) expect(duration(milliseconds)).toBe(words)
  })
})
