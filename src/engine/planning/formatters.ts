import type { FormattersChange } from '../../domain/change-set.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import { canonicalJson, digestOf } from '../../domain/json.ts'
import type { MigrationPlan } from '../../domain/migration-plan.ts'
import type { Formatters, NetworkPort } from '../../domain/ports.ts'

export interface PlannedFormatters {
  readonly change?: FormattersChange
  readonly findings: readonly Diagnostic[]
}

const NOTHING: PlannedFormatters = { findings: [] }

/** What the plan wants of the application's payload functions: carried only where it says so, and only to an empty place. */
export const planFormatters = async (
  { source: end, application }: Pick<MigrationPlan, 'source' | 'application'>,
  source: NetworkPort,
  target: NetworkPort,
): Promise<PlannedFormatters> => {
  const isWanted =
    end.network === 'ttn-v2' ? end.payloadFunctions === 'carry' : application?.formatters === true
  if (!isWanted) return NOTHING
  const [wanted, held] = await Promise.all([source.formatters?.(), target.formatters?.()])
  if (wanted === undefined)
    return { findings: [told('FormattersAbsent', 'the application has no payload functions on the source')] }
  if (held !== undefined)
    return canonicalJson(held) === canonicalJson(wanted)
      ? NOTHING
      : {
          findings: [
            {
              code: 'FormattersDiffer',
              severity: 'warning',
              message:
                'the application has other default payload formatters on the target: they are left as they are',
              hint: 'compare them, and clear those of the target to have the payload functions of the source carried',
            },
          ],
        }
  return {
    change: { verdict: 'write', digest: digestOf(wanted) },
    findings: [
      told(
        'FormattersCarried',
        `the application gets the payload functions of the source as its default formatters: ${words(wanted)}`,
      ),
    ],
  }
}

const told = (code: string, message: string): Diagnostic => ({ code, severity: 'note', message })

const words = (formatters: Formatters): string =>
  (['up', 'down'] as const)
    .flatMap((way) => {
      const kind = formatters[`${way}_formatter`]
      const code = formatters[`${way}_formatter_parameter`]
      if (kind === undefined) return []
      return [`${way}link ${code === undefined ? kind : `JavaScript of ${code.length} characters`}`]
    })
    .join(', ')
