import { randomBytes } from 'node:crypto'
import { decode } from '../json/decode.ts'
import { child, type Message, numberAt, textAt } from '../json/types.ts'
import type { Network } from '../network.ts'
import type { RecordStore } from '../store.ts'
import {
  type DerivedKeys,
  deriveKeys10,
  deriveKeys11,
  encryptJoinAccept,
  type JoinContext,
  joinIntegrityKey,
  joinMic,
  reversed,
} from './crypto.ts'
import { buildJoinAccept, type JoinAccept, type JoinRequest } from './frames.ts'

const nonceMemory = 10
const lastJoinNonce = 0xff_ffff

/** The record of a registry whose EUIs are these. */
export const byEuis = (store: RecordStore, { joinEui, devEui }: JoinRequest): [string, Message] | undefined =>
  store.withEuis(joinEui, devEui)[0]

const countsNonces = (version: string): boolean => version === 'MAC_V1_0_4' || version === 'MAC_V1_1'

/** Which root keys network and application use (API notes, section 7; domain notes, "root_key_id"). */
const rootKeysFor = (
  record: Message,
  version: string,
): { readonly network: string; readonly application: string } | undefined => {
  const appKey = textAt(record, 'root_keys.app_key.key')
  const nwkKey = textAt(record, 'root_keys.nwk_key.key')
  const usesNwkKey =
    nwkKey !== undefined &&
    (version === 'MAC_V1_1' || textAt(record, 'root_keys.root_key_id') !== 'ttn-lw-cli-generated')
  if (version === 'MAC_V1_1')
    return nwkKey === undefined || appKey === undefined ? undefined : { network: nwkKey, application: appKey }
  const key = usesNwkKey ? nwkKey : appKey
  return key === undefined ? undefined : { network: key, application: key }
}

/** Takes the nonce into the record; a text says why it is refused. */
const useNonce = (record: Message, version: string, nonce: number): string | undefined => {
  const resets = record['resets_join_nonces'] === true
  if (countsNonces(version)) {
    const last = numberAt(record, 'last_dev_nonce')
    const first = nonce === 0 && last === 0 && numberAt(record, 'last_join_nonce') === 0
    if (!first && !resets && nonce <= last) return `DevNonce ${nonce} is too small, the last one was ${last}`
    record['last_dev_nonce'] = nonce
    return undefined
  }
  const used = record['used_dev_nonces']
  const list = Array.isArray(used) ? used.map(Number) : []
  if (list.includes(nonce)) return resets ? undefined : `DevNonce ${nonce} has already been used`
  record['used_dev_nonces'] = [...list, nonce].slice(-nonceMemory)
  return undefined
}

/** What the Join Server gives: the encrypted accept, the session keys and their id. */
export interface Joined {
  readonly accept: Buffer
  readonly keys: DerivedKeys
  readonly sessionKeyId: string
}

/** The Join Server's part: nonces, integrity code, the encrypted accept and the session keys. */
export const joinServer = (
  network: Network,
  request: JoinRequest,
  version: string,
  offer: Omit<JoinAccept, 'joinNonce'>,
): Joined | string => {
  const found = byEuis(network.joinServer, request)
  if (found === undefined) return 'the Join Server has no device with these EUIs'
  const [key, record] = found
  const refusal = useNonce(record, version, request.devNonce)
  if (refusal !== undefined) return refusal
  const root = rootKeysFor(record, version)
  if (root === undefined) return 'the Join Server has no root key for this device'
  if (!joinMic(root.network, request.message).equals(request.mic))
    return 'the integrity code of the join-request does not match'
  if (numberAt(record, 'last_join_nonce') >= lastJoinNonce) return 'the JoinNonce is used up'
  const joinNonce = numberAt(record, 'last_join_nonce') + 1
  const clear = buildJoinAccept({ ...offer, joinNonce })
  const header = Buffer.from([0x20])
  const nonce = request.message.subarray(17, 19)
  const integrity = offer.optNeg
    ? joinMic(
        joinIntegrityKey(root.network, request.devEui),
        Buffer.concat([Buffer.from([0xff]), reversed(request.joinEui), nonce, header, clear]),
      )
    : joinMic(root.network, Buffer.concat([header, clear]))
  const context: JoinContext = {
    joinEui: request.joinEui,
    devEui: request.devEui,
    devNonce: request.devNonce,
    joinNonce,
    netId: offer.netId,
  }
  const keys = offer.optNeg
    ? deriveKeys11(root.network, root.application, context)
    : deriveKeys10(root.network, root.application, context)
  const sessionKeyId = randomBytes(16).toString('base64')
  const ids = { ...child(record, 'ids'), dev_addr: offer.devAddr }
  network.joinServer.set(
    key,
    decode('EndDevice', { ...record, ids, last_join_nonce: joinNonce, updated_at: network.clock.nanos() }),
  )
  network.sessionKeys.set(`${request.joinEui}/${request.devEui}/${sessionKeyId}`, keys.appSKey)
  return {
    accept: Buffer.concat([header, encryptJoinAccept(root.network, Buffer.concat([clear, integrity]))]),
    keys,
    sessionKeyId,
  }
}
