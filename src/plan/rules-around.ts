import { error } from './finding.ts'
import type { Rule } from './rule.ts'

/** What the sections `gateways` and `application` ask beyond their schema. */
export const AROUND_RULES: readonly Rule[] = [
  {
    codes: ['ApplicationNotCarried'],
    because:
      'an application is copied from The Things Stack: a Stack V2 has payload functions alone, and a file nothing',
    check: ({ draft: { source, application } }) =>
      application === undefined || source?.network === undefined || source.network === 'things-stack'
        ? []
        : [
            error({
              code: 'ApplicationNotCarried',
              message: `a ${source.network} source has nothing around its devices that could be copied so`,
              hint: 'leave application out; payload functions of a Stack V2 go with source.payloadFunctions: carry',
              path: ['application'],
            }),
          ],
  },
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
