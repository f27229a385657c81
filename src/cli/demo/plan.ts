import type { SimulatedNetwork } from '../../simulator/index.ts'

/** Five devices that keep what they have, of several kinds, and one that joins anew. */
export const KEPT = ['meter-103', 'meter-umlaut', 'tracker-19', 'sensor-110', 'valve-abp'] as const
export const JOINING = ['meter-102'] as const
export const MOVING: readonly string[] = [...KEPT, ...JOINING]

/** The plan of the demo, as a person would write it. */
export const demoPlan = (
  source: SimulatedNetwork,
  target: SimulatedNetwork,
  recipient: string,
): string => `apiVersion: ferry/v1
kind: MigrationPlan
metadata: { name: building-a }
source:
  network: things-stack
  url: ${source.url}
  application: ${source.application}
  apiKey: { env: SOURCE_API_KEY } # by reference: no secret in a plan
  insecure: true # plain http, on this machine only
target:
  network: things-stack
  url: ${target.url}
  application: ${target.application}
  apiKey: { env: TARGET_API_KEY }
  insecure: true
devices:
  include:
    - ids: [${KEPT.join(', ')}]
    - ids: [${JOINING.join(', ')}]
  overrides:
    - ids: [${JOINING.join(', ')}]
      policy: { persistSession: false } # this one joins anew
policy:
  persistSession: true
  deleteSource: after-heard
coverage: { gateways: moving-now }
verify: { retireAfter: 7d }
escrow:
  recipients:
    - ${recipient}
`
