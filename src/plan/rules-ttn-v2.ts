import { parseAddress } from './addresses.ts'
import { error, type Finding } from './finding.ts'
import { checkPolicies, type Rule, type RuleContext } from './rule.ts'
import { shown } from './shown.ts'

const isV2 = ({ draft }: RuleContext): boolean => draft.source?.network === 'ttn-v2'

/** Ids of applications of The Things Stack, which are narrower than those of V2. */
const STACK_ID = /^[a-z0-9](?:-?[a-z0-9]){2,}$/

const application: Rule = {
  codes: ['InvalidId'],
  because: 'ids of The Things Stack have 3 to 36 characters and no underscore',
  check: ({ draft: { source } }) => {
    const id = source?.application
    if (source?.network !== 'things-stack' || id === undefined || STACK_ID.test(id)) return []
    return [
      error({
        code: 'InvalidId',
        message: `"application" is ${shown(id)}, which does not have its form`,
        hint: 'write 3 to 36 of a-z, 0-9 and single inner hyphens, such as building-a',
        path: ['source', 'application'],
      }),
    ]
  },
}

/** Hosts of the public Stack V2, and of the community's account server. */
const GONE = /(?:^|\.)(?:thethingsnetwork\.org|thethings\.network)$/
/** The Sandbox of The Things Stack has hosts below one of them. */
const STILL_THERE = /\.cloud\.thethings\.network$/

const clusters: Rule = {
  codes: ['V2ClusterGone'],
  because: 'the public clusters of Stack V2 were shut down in December 2021',
  check: (context) => {
    const { source } = context.draft
    if (!isV2(context)) return []
    return (['url', 'discovery'] as const).flatMap((name): readonly Finding[] => {
      const address = parseAddress(source?.[name] ?? '')
      if (!('url' in address)) return []
      const { hostname } = address.url
      if (!GONE.test(hostname) || STILL_THERE.test(hostname)) return []
      return [
        error({
          code: 'V2ClusterGone',
          message: `${hostname} was a host of the public Stack V2, which was shut down in December 2021`,
          hint: 'write the address of your own or your private Stack V2; devices of the public one can be moved from a file of yours only',
          path: ['source', name],
        }),
      ]
    })
  },
}

/** What a policy may not ask of a Stack V2. */
const IMPOSSIBLE: readonly {
  readonly field: 'handover' | 'queuedDownlinks' | 'rejoin' | 'preventRejoin'
  readonly isAsked: (policy: Parameters<Parameters<typeof checkPolicies>[2]>[0]) => boolean
  readonly message: string
  readonly hint: string
}[] = [
  {
    field: 'handover',
    isAsked: ({ handover }) => handover === 'delete-first',
    message: 'a Stack V2 and the target are two deployments: nothing has to be deleted first',
    hint: 'write handover: stop-first, or leave it out',
  },
  {
    field: 'queuedDownlinks',
    isAsked: ({ queuedDownlinks }) => queuedDownlinks !== undefined && queuedDownlinks !== 'report',
    message: 'a Stack V2 does not tell which downlinks wait in its queue',
    hint: 'write queuedDownlinks: report, or leave it out',
  },
  {
    field: 'rejoin',
    isAsked: ({ rejoin }) => rejoin?.trigger === 'source-downlink',
    message: 'the HTTP API of a Stack V2 takes no downlinks',
    hint: 'write rejoin: { trigger: manual }, and send the downlink over MQTT or the Console of your V2 after the apply',
  },
  {
    field: 'preventRejoin',
    isAsked: ({ preventRejoin }) => preventRejoin === 'none',
    message: 'a Stack V2 can not be muted: with its AppKey it would answer joins too',
    hint: 'write preventRejoin: replace-root-keys, or leave it out',
  },
]

const policies: Rule = {
  codes: ['NotOnV2'],
  because: 'a Stack V2 can be read, cleared and deleted from, and no more',
  check: (context) =>
    !isV2(context)
      ? []
      : IMPOSSIBLE.flatMap(({ field, isAsked, message, hint }) =>
          checkPolicies(context, [field], (policy) =>
            isAsked(policy) ? error({ code: 'NotOnV2', message, hint }) : undefined,
          ),
        ),
}

export const TTN_V2_RULES: readonly Rule[] = [application, clusters, policies]
