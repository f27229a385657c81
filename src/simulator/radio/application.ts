import { decode } from '../json/decode.ts'
import { child, type Message, textAt } from '../json/types.ts'
import type { Network } from '../network.ts'
import { cryptPayload } from './crypto.ts'
import type { ReceivedDataFrame } from './frames.ts'
import type { ApplicationUplink } from './hear.ts'

const keyIdOf = (record: Message | undefined, session: string): string | undefined =>
  textAt(record, `${session}.keys.session_key_id`)

/** The session that the Application Server has for the Network Server's, asking the Join Server when it has none. */
const sessionFor = (network: Network, record: Message, networkRecord: Message): Message | undefined => {
  const wanted = keyIdOf(networkRecord, 'session')
  const current = child(record, 'session')
  if (current !== undefined && keyIdOf(record, 'session') === wanted) return current
  if (wanted === undefined) return undefined
  if (keyIdOf(record, 'pending_session') === wanted) return child(record, 'pending_session')
  const ids = `${textAt(networkRecord, 'ids.join_eui') ?? ''}/${textAt(networkRecord, 'ids.dev_eui') ?? ''}`
  const key = network.sessionKeys.get(`${ids}/${wanted}`)
  if (key === undefined) return undefined
  return {
    dev_addr: textAt(networkRecord, 'session.dev_addr'),
    keys: { session_key_id: wanted, app_s_key: { key } },
  }
}

const markSeen = (network: Network, key: string): void => {
  const record = network.identityServer.get(key)
  if (record === undefined) return
  const now = network.clock.micros()
  const first: Message = record['activated_at'] === undefined ? { activated_at: now, updated_at: now } : {}
  network.identityServer.set(key, decode('EndDevice', { ...record, ...first, last_seen_at: now }))
}

/**
 * Hands an uplink to the Application Server: its session must be the Network Server's (same session key id), a pending
 * one becomes the session. Then the device counts as activated and seen on the Identity Server (API notes, sections 8
 * and 14.1). Undefined when the Application Server drops it.
 */
export const forwardToApplication = (
  network: Network,
  key: string,
  data: ReceivedDataFrame,
  fCnt: number,
): ApplicationUplink | undefined => {
  const record = network.applicationServer.get(key)
  const networkRecord = network.networkServer.get(key)
  if (record === undefined || networkRecord === undefined) return undefined
  const session = sessionFor(network, record, networkRecord)
  if (session === undefined) return undefined
  if (
    keyIdOf(record, 'session') !== textAt(session, 'keys.session_key_id') ||
    child(record, 'session') === undefined
  ) {
    const { pending_session: _, ...rest } = record
    network.applicationServer.set(
      key,
      decode('EndDevice', { ...rest, session, updated_at: network.clock.nanos() }),
    )
  }
  markSeen(network, key)
  const appSKey = textAt(session, 'keys.app_s_key.key')
  if (data.fPort === undefined || data.fPort === 0 || appSKey === undefined) return undefined
  const [application = '', device = ''] = key.split('/')
  const payload = cryptPayload(appSKey, 0, data.devAddr, fCnt, data.frmPayload)
  return { application, device, fCnt, fPort: data.fPort, frmPayload: payload.toString('base64') }
}
