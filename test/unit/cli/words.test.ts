import { describe, expect, test } from 'vitest'
import { parseAllow, parseDigest, parseDuration, parseRate } from '../../../src/cli/arguments.ts'
import { styleFor } from '../../../src/cli/colour.ts'
import { debugOption } from '../../../src/cli/debug-option.ts'
import { redact } from '../../../src/domain/redact.ts'

describe('values of options', () => {
  test('durations', () => {
    expect(parseDuration('90s')).toBe(90_000)
    expect(parseDuration('1h30m')).toBe(5_400_000)
    expect(parseDuration('2d')).toBe(172_800_000)
    for (const wrong of ['', '5', '-1s', '1.5h', '2 h', 'h']) expect(() => parseDuration(wrong)).toThrow()
  })

  test('guards by name and count', () => {
    expect(parseAllow('blocked-devices=12', { 'target-updates': 3 })).toEqual({
      'blocked-devices': 12,
      'target-updates': 3,
    })
    for (const wrong of ['blocked-devices', 'deletes=1', 'blocked-devices=-1'])
      expect(() => parseAllow(wrong)).toThrow()
  })

  test('digests, whole or from the beginning', () => {
    expect(parseDigest('sha256:9F2C41D07A3E')).toBe('9f2c41d07a3e')
    for (const wrong of ['9f2c41d07', 'sha256:', 'zzzzzzzzzzzz']) expect(() => parseDigest(wrong)).toThrow()
  })

  test('rates', () => {
    expect(parseRate('100/1m')).toEqual({ limit: 100, windowMs: 60_000 })
    expect(parseRate('5/s')).toEqual({ limit: 5, windowMs: 1_000 })
    expect(parseRate('5/250ms')).toEqual({ limit: 5, windowMs: 250 })
    for (const wrong of ['100', '0/1m', '5/', 'x/1m']) expect(() => parseRate(wrong)).toThrow()
  })
})

describe('--debug', () => {
  test.each([
    [['plan', 'a.yaml'], undefined, ['plan', 'a.yaml']],
    [['--debug', 'plan', 'a.yaml'], 'ferry-debug.log', ['--debug', 'plan', 'a.yaml']],
    [['plan', '--debug', 'a.yaml'], 'ferry-debug.log', ['plan', '--debug', 'a.yaml']],
    [['plan', 'a.yaml', '--debug=x'], 'x', ['plan', 'a.yaml', '--debug']],
    [['plan', 'a.yaml', '--debug', 'x.log'], 'x.log', ['plan', 'a.yaml', '--debug']],
    [['plan', '--', '--debug'], undefined, ['plan', '--', '--debug']],
  ])('%j', (given, file, argv) => {
    expect(debugOption(given)).toEqual({ file, argv })
  })
})

describe('redaction', () => {
  const bytes = Buffer.from('2b7e151628aed2a6abf7158809cf4f3c', 'hex')
  const hex = bytes.toString('hex')

  test.each([
    hex,
    hex.toUpperCase(),
    `0x${hex}`.slice(2),
    hex.replace(/(..)(?=.)/g, '$1:'),
    hex.replace(/(..)(?=.)/g, '$1 '),
    `${hex}${hex}`,
    bytes.toString('base64'),
    bytes.toString('base64url'),
    encodeURIComponent(bytes.toString('base64')),
    [...bytes].join(', '),
    [...bytes].join(',\n     '),
    'NNSXS.ABCDEFGHIJKLMNOPQRST.UVWXYZ234567ABCDEFGHIJKLMNOPQRSTUVWXYZ2345',
    'AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ',
  ])('%s', (secret) => {
    const text = redact(`key "${secret}", and {"key":"${secret}"}`)
    expect(text).not.toContain(secret)
    expect(text).toContain('[redacted]')
  })

  test('leaves what is no key', () => {
    const text = [
      '    at readFile (/home/user/projects/lorawan-ferry/dist/operations/workspace.js:81:19)',
      'DevEUI 70B3D57ED0100001, DevAddr 27001001, 2026-01-05T08:00:00.000Z',
      'the device meter-with-a-rather-long-name-7',
    ].join('\n')
    expect(redact(text)).toBe(text)
  })
})

describe('colour', () => {
  const isColoured = (env: Readonly<Record<string, string>>, isTerminal = true, refused = false): boolean =>
    styleFor({ env, isTerminal, refused }).red('x') !== 'x'

  test('belongs to terminals, unless somebody says otherwise', () => {
    expect(isColoured({})).toBe(true)
    expect(isColoured({}, false)).toBe(false)
    expect(isColoured({ NO_COLOR: '1' })).toBe(false)
    expect(isColoured({ NO_COLOR: '' })).toBe(true)
    expect(isColoured({ TERM: 'dumb' })).toBe(false)
    expect(isColoured({ FORCE_COLOR: '1' }, false)).toBe(true)
    expect(isColoured({ FORCE_COLOR: '0' })).toBe(false)
    expect(isColoured({ FORCE_COLOR: '1' }, true, true)).toBe(false)
  })
})
