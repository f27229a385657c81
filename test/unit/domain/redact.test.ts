import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redact } from '../../../src/domain/redact.ts'

/** As base64url writes them: no digit is among the 22 characters. One key in forty is so. */
const WITHOUT_DIGITS = 'qZbXKcAyTfRwLhVnMdEsGg'

describe('a text that may hold a key', () => {
  it('loses a key whose base64 happens to have no digit', () => {
    expect(redact(`refused ${WITHOUT_DIGITS} by itself`)).toBe('refused [redacted] by itself')
  })

  it('loses any key without padding, whatever its bytes', () => {
    const letters = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz')
    // Three keys in a hundred thousand read like words, and pass for a name.
    const key = fc
      .array(letters, { minLength: 22, maxLength: 22 })
      .map((each) => each.join(''))
      .filter((text) => /[A-Z]{2}|[A-Z][a-z][A-Z]/.test(text) && /[a-z]/.test(text))
    fc.assert(fc.property(key, (text) => redact(`id ${text}`) === 'id [redacted]'))
  })

  it.each([
    'insufficient_application_rights',
    'session_keys_encrypted',
    'EndDeviceRegistryWrite',
    'eu1.cloud.thethings.network/api/v3/js',
    'heat-meters-in-basement',
  ])('keeps %s, which is a name', (text) => {
    expect(redact(text)).toBe(text)
  })

  it('is read in no time, also where it is nearly a name', () => {
    const began = performance.now()
    expect(redact(`W${'w'.repeat(41)}+`)).toBe('[redacted]')
    // Microseconds; a pattern that tries each way of cutting it into words takes a second.
    expect(performance.now() - began).toBeLessThan(100)
  })
})
