import { decode } from '../json/decode.ts'
import { child, listAt, type Message, numberAt, textAt } from '../json/types.ts'
import type { Network } from '../network.ts'
import { errors, fail, StackError } from '../things-stack/errors.ts'
import { cryptPayload } from './crypto.ts'
import { lowestCounter, offerItems, queueOf } from './network-queue.ts'

const defaultRetries = 8
const keyId = (session: Message | undefined): string | undefined => textAt(session, 'keys.session_key_id')

/** Encrypts or decrypts the payload of an item with a session of the Application Server. */
const crypt = (session: Message, item: Message): Message => {
  const payload = cryptPayload(
    textAt(session, 'keys.app_s_key.key') ?? '',
    1,
    textAt(session, 'dev_addr') ?? '',
    numberAt(item, 'f_cnt'),
    Buffer.from(textAt(item, 'frm_payload') ?? '', 'base64'),
  )
  return payload.length === 0 ? item : { ...item, frm_payload: payload.toString('base64') }
}

/** Decrypts the items that a session of these encrypted; others are left out. */
const decryptAll = (sessions: readonly (Message | undefined)[], items: readonly Message[]): Message[] =>
  items.flatMap((item) => {
    const session = sessions.find(
      (candidate) => candidate !== undefined && keyId(candidate) === textAt(item, 'session_key_id'),
    )
    return session === undefined ? [] : [crypt(session, item)]
  })

const encryptAll = (session: Message, items: readonly Message[]): Message[] =>
  items.map((item) => {
    const fCnt = numberAt(session, 'last_a_f_cnt_down') + 1
    session['last_a_f_cnt_down'] = fCnt
    const id = keyId(session)
    const { session_key_id: _, ...rest } = item
    return crypt(session, { ...(id === undefined ? {} : { session_key_id: id }), ...rest, f_cnt: fCnt })
  })

const followSession = (
  network: Network,
  record: Message,
  name: 'session' | 'pending_session',
  device: Message,
): void => {
  const theirs = child(device, name)
  if (theirs === undefined) {
    delete record[name]
    return
  }
  const last = Math.max(
    0,
    lowestCounter(theirs, child(device, name === 'session' ? 'mac_state' : 'pending_mac_state')) - 1,
  )
  const own = child(record, name)
  const id = keyId(theirs)
  if (own !== undefined && keyId(own) === id && own['dev_addr'] === theirs['dev_addr']) {
    own['last_a_f_cnt_down'] = last
    return
  }
  if (id === undefined) throw fail(errors.asRebuild)
  const euis = `${textAt(record, 'ids.join_eui') ?? ''}/${textAt(record, 'ids.dev_eui') ?? ''}`
  const appSKey = network.sessionKeys.get(`${euis}/${id}`)
  if (appSKey === undefined) throw fail(errors.asFetchAppSKey)
  record[name] = {
    dev_addr: theirs['dev_addr'],
    keys: { session_key_id: id, app_s_key: { key: appSKey } },
    last_a_f_cnt_down: last,
  }
}

/** Makes the sessions of the Application Server those of the Network Server, with the counters that it asks for. */
const followNetwork = (network: Network, record: Message, device: Message): void => {
  followSession(network, record, 'session', device)
  followSession(network, record, 'pending_session', device)
  const { dev_addr: _, ...ids } = child(record, 'ids') ?? {}
  const address = textAt(record, 'session.dev_addr')
  record['ids'] = address === undefined ? ids : { ...ids, dev_addr: address }
}

/**
 * Encrypts items for session and pending session, numbers them and hands them to the Network Server. One that finds
 * its counters or sessions behind the Network Server's takes them over and tries again.
 * @param skip session key id of a session that holds the items already
 * @throws StackError 400 without a session, or what the Network Server refuses
 */
const handOver = (
  network: Network,
  record: Message,
  key: string,
  items: readonly Message[],
  {
    replace = false,
    skip,
  }: { readonly replace?: boolean; readonly skip?: { readonly id: string | undefined } } = {},
): Message => {
  for (let attempt = 1; ; attempt += 1) {
    const sessions = [child(record, 'session'), child(record, 'pending_session')].filter(
      (session): session is Message =>
        session !== undefined && (skip === undefined || keyId(session) !== skip.id),
    )
    if (sessions.length === 0) throw fail(errors.asNoDeviceSession)
    const encrypted = sessions.flatMap((session) => encryptAll(session, items))
    const misfit = offerItems(network, key, encrypted, replace)
    if (misfit === undefined) return record
    if (attempt > 2) throw fail(errors.asRebuild)
    followNetwork(network, record, misfit.device)
  }
}

const store = (network: Network, key: string, record: Message): void =>
  network.applicationServer.set(key, decode('EndDevice', { ...record, updated_at: network.clock.nanos() }))

/**
 * Pushes items of an application into the queue of a device, or replaces its queue by them.
 * @throws StackError 404 for an unknown device, 400 without a session, or what the Network Server refuses
 */
export const writeQueue = (
  network: Network,
  key: string,
  items: readonly Message[],
  replace: boolean,
): void => {
  const record = network.applicationServer.get(key)
  if (record === undefined) throw fail(errors.asDeviceNotFound, { device_uid: key.replace('/', '.') })
  store(network, key, handOver(network, record, key, items, { replace }))
}

/** The queue as an application sees it: of the session, or of the pending one where there is no other, decrypted. */
export const readQueue = (network: Network, key: string): Message[] => {
  const record = network.applicationServer.get(key)
  const device = network.networkServer.get(key)
  const items = [...queueOf(child(device, 'session')), ...queueOf(child(device, 'pending_session'))]
  if (items.length === 0) return []
  const session = child(record, 'session') ?? child(record, 'pending_session')
  if (session === undefined) throw fail(errors.asNoDeviceSession)
  return decryptAll([session], items)
}

const attempt = (work: () => void): void => {
  try {
    work()
  } catch (error) {
    // The real server logs what it can't queue again, and drops it.
    if (!(error instanceof StackError)) throw error
  }
}

/**
 * Items that the Network Server gives back because its own downlinks used up their counters: the Application Server
 * goes on from its last counter and queues them again.
 */
export const requeue = (
  network: Network,
  key: string,
  items: readonly Message[],
  lastCounter: number,
): void =>
  attempt(() => {
    const record = network.applicationServer.get(key)
    const session = child(record, 'session')
    if (record === undefined || session === undefined) return
    if (keyId(session) !== textAt(network.networkServer.get(key), 'session.keys.session_key_id')) return
    session['last_a_f_cnt_down'] = lastCounter
    const clear = decryptAll([session], items)
    store(network, key, clear.length === 0 ? record : handOver(network, record, key, clear))
  })

/** A confirmed item that the device did not acknowledge is queued again, up to its number of attempts. */
export const retryItem = (network: Network, key: string, item: Message): void =>
  attempt(() => {
    const record = network.applicationServer.get(key)
    const [clear] = decryptAll([child(record, 'session')], [item])
    if (record === undefined || clear === undefined) return
    const retry = child(clear, 'confirmed_retry') ?? {}
    const next = numberAt(retry, 'attempt') + 1
    const max = retry['max_attempts'] === undefined ? defaultRetries : numberAt(retry, 'max_attempts')
    if (next > max) return
    store(
      network,
      key,
      handOver(network, record, key, [{ ...clear, confirmed_retry: { ...retry, attempt: next } }]),
    )
  })

/**
 * A join-accept was sent: the items that wait for the device are queued for its pending session too.
 * @param earlier the pending session of the Application Server before this join
 */
export const followJoin = (
  network: Network,
  key: string,
  items: readonly Message[],
  earlier: Message | undefined,
): void =>
  attempt(() => {
    const record = network.applicationServer.get(key)
    if (record === undefined || items.length === 0) return
    const clear = decryptAll([child(record, 'session'), earlier], items)
    const [first] = clear
    if (first === undefined) return
    const skip = { id: textAt(first, 'session_key_id') }
    store(network, key, handOver(network, record, key, clear, { skip }))
  })

/** The gateways that an item names, by group. */
export const gatewayGroups = (item: Message | undefined): readonly (readonly string[])[] => {
  const groups = new Map<number, string[]>()
  for (const gateway of listAt(item, 'class_b_c.gateways')) {
    const group = numberAt(gateway, 'group_index')
    groups.set(group, [...(groups.get(group) ?? []), textAt(gateway, 'gateway_ids.gateway_id') ?? ''])
  }
  return [...groups.values()]
}
