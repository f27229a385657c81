import type { FieldValue } from '../../domain/device.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import { isObject } from './records.ts'

/** Characters of a script that an Application Server takes for a device (its API's own limit). */
const LONGEST_SCRIPT = 40_960

const isTooLong = (value: unknown): boolean =>
  typeof value === 'string' && value.length > LONGEST_SCRIPT && [...value].length > LONGEST_SCRIPT

interface Accepted {
  /** Undefined where none is left. */
  readonly value: FieldValue | undefined
  readonly findings: readonly Diagnostic[]
}

/**
 * Formatters without those whose script the target would refuse, and the device with it; undefined where all are taken.
 * The device then has the default formatter of the target's application.
 */
export const acceptedFormatters = (
  formatters: FieldValue | undefined,
  device: string,
): Accepted | undefined => {
  if (!isObject(formatters)) return undefined
  const long = ['up', 'down'].filter((way) => isTooLong(formatters[`${way}_formatter_parameter`]))
  if (long.length === 0) return undefined
  const kept = Object.fromEntries(
    Object.entries(formatters).filter(([name]) => !long.some((way) => name.startsWith(`${way}_formatter`))),
  )
  return {
    value: Object.keys(kept).length === 0 ? undefined : kept,
    findings: [
      {
        code: 'FormatterTooLong',
        severity: 'warning',
        message: `its ${long.map((way) => `${way}link`).join(' and ')} formatter has more than ${LONGEST_SCRIPT} characters, and stays behind`,
        hint: "set it as default of the target's application, or shorten it",
        subject: { device },
      },
    ],
  }
}
