import type { Diagnostic } from '../../../domain/diagnostic.ts'
import { BLOCKING } from './blocking.ts'
import type { RuleInput, Verdict } from './rule.ts'
import { TELLING } from './telling.ts'

/** All findings about one device of the source; those of severity `error` block it. */
export const deviceFindings = (input: RuleInput): readonly Diagnostic[] => {
  const device = input.source.ids.deviceId
  const read = input.source.findings ?? []
  if (read.some(({ severity }) => severity === 'error')) return read
  const locate = ({ path, ...finding }: Verdict): Diagnostic => ({
    ...finding,
    subject: path === undefined ? { device } : { device, path },
  })
  for (const rule of BLOCKING) {
    const found = rule.check(input)
    if (found !== undefined) return [...read, locate(found)]
  }
  const told = TELLING.flatMap((rule) => {
    const found = rule.check(input)
    return found === undefined ? [] : [locate(found)]
  })
  return [...read, ...told]
}
