import type { Intent, QueueNeed } from '../../domain/ports.ts'

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

const LINK = [
  'RIGHT_APPLICATION_INFO',
  'RIGHT_APPLICATION_TRAFFIC_READ',
  'RIGHT_APPLICATION_TRAFFIC_DOWN_WRITE',
]

/** Rights for queues, where the plan wants them (`pkg/applicationserver/grpc.go`): nothing works without them then. */
const QUEUE_RIGHTS: { readonly [N in QueueNeed]: NeededRight } = {
  'read-queue': { right: 'RIGHT_APPLICATION_TRAFFIC_READ', purpose: 'read queued downlinks' },
  'write-queue': { right: 'RIGHT_APPLICATION_TRAFFIC_DOWN_WRITE', purpose: 'queue downlinks' },
}

/** Each right once, required where one of its reasons requires it. */
const neededRights = (intent: Intent, needs: readonly QueueNeed[]): readonly NeededRight[] => {
  const required = new Map(needs.map((need) => [QUEUE_RIGHTS[need].right, QUEUE_RIGHTS[need]]))
  return [...NEEDED_RIGHTS[intent].filter(({ right }) => !required.has(right)), ...required.values()]
}

/** Needed rights that are not granted; `..._ALL` and `..._LINK` grant others (`pkg/ttnpb/rights.go`). */
export const missingRights = (
  intent: Intent,
  needs: readonly QueueNeed[],
  granted: readonly string[],
): readonly NeededRight[] => {
  const has = new Set(granted)
  if (has.has('RIGHT_APPLICATION_ALL') || has.has('RIGHT_ALL')) return []
  if (has.has('RIGHT_APPLICATION_LINK')) for (const right of LINK) has.add(right)
  return neededRights(intent, needs).filter(({ right }) => !has.has(right))
}
