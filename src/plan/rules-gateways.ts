import { error } from './finding.ts'
import type { Rule } from './rule.ts'

/** What a `gateways` section asks beyond its schema. */
export const GATEWAY_RULES: readonly Rule[] = [
  {
    codes: ['GatewaysNotRegistered'],
    because:
      'gateways are copied from a registry of The Things Stack: a Stack V2 and a file have none of that form',
    check: ({ draft: { source, gateways } }) =>
      gateways === undefined || source?.network === undefined || source.network === 'things-stack'
        ? []
        : [
            error({
              code: 'GatewaysNotRegistered',
              message: `a ${source.network} source has no registry of gateways that could be copied`,
              hint: 'leave gateways out, and register them on the target by hand',
              path: ['gateways'],
            }),
          ],
  },
]
