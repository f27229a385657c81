import type { Intent } from '../../domain/ports.ts'

export interface NeededRight {
  readonly right: string
  /** What it is for, after "needed to". */
  readonly purpose: string
  /** Without it the run works with less. */
  readonly optional?: true
}

const READ: readonly NeededRight[] = [
  { right: 'RIGHT_APPLICATION_INFO', purpose: 'see the application' },
  { right: 'RIGHT_APPLICATION_DEVICES_READ', purpose: 'list and read devices' },
  { right: 'RIGHT_APPLICATION_DEVICES_READ_KEYS', purpose: 'read root keys and session keys' },
]
const QUEUE: readonly NeededRight[] = [
  { right: 'RIGHT_APPLICATION_TRAFFIC_READ', purpose: 'count queued downlinks', optional: true },
]

/** Rights by intent (allow-lists of each call: `pkg/networkserver`, `pkg/joinserver`, `pkg/applicationserver`). */
const NEEDED_RIGHTS: { readonly [I in Intent]: readonly NeededRight[] } = {
  'read-source': [...READ, ...QUEUE],
  'migrate-source': [
    ...READ,
    { right: 'RIGHT_APPLICATION_DEVICES_WRITE', purpose: 'stop and delete devices' },
    { right: 'RIGHT_APPLICATION_DEVICES_WRITE_KEYS', purpose: 'replace root keys' },
    ...QUEUE,
  ],
  'read-target': READ,
  'migrate-target': [
    ...READ,
    { right: 'RIGHT_APPLICATION_DEVICES_WRITE', purpose: 'create and change devices' },
    { right: 'RIGHT_APPLICATION_DEVICES_WRITE_KEYS', purpose: 'write root keys and session keys' },
  ],
}

const LINK = ['RIGHT_APPLICATION_INFO', 'RIGHT_APPLICATION_TRAFFIC_READ']

/** Needed rights that are not granted; `..._ALL` and `..._LINK` grant others (`pkg/ttnpb/rights.go`). */
export const missingRights = (intent: Intent, granted: readonly string[]): readonly NeededRight[] => {
  const has = new Set(granted)
  if (has.has('RIGHT_APPLICATION_ALL') || has.has('RIGHT_ALL')) return []
  if (has.has('RIGHT_APPLICATION_LINK')) for (const right of LINK) has.add(right)
  return NEEDED_RIGHTS[intent].filter(({ right }) => !has.has(right))
}
