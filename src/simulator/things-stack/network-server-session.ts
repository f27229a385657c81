import { coversAny, setPaths } from '../json/mask.ts'
import { child, type Message, textAt } from '../json/types.ts'
import { deriveMacState } from './mac-state.ts'
import { type Candidate, effective, invalidField, isSet } from './network-server-rules.ts'

const keyNames = ['f_nwk_s_int_key', 'nwk_s_enc_key', 's_nwk_s_int_key'] as const
const zeroKey = '0'.repeat(32)
const keyPath = (name: string, session = 'session'): string => `${session}.keys.${name}.key`
const touching = ['lorawan_version', 'mac_state', 'multicast', 'session', 'supports_join']

const touches = ({ mask }: Candidate, roots: readonly string[]): boolean =>
  mask.some((path) => roots.some((root) => path === root || path.startsWith(`${root}.`)))

const known = (candidate: Candidate, path: string, root: string): boolean =>
  isSet(candidate, path)
    ? child(candidate.device, root) !== undefined
    : child(candidate.stored, root) !== undefined

const isZeroKey = (candidate: Candidate, name: string): boolean => {
  const key = effective(candidate, keyPath(name))
  return key === undefined || key === zeroKey
}

/** An envelope without a clear key is stored as sixteen zero bytes when an OTAA session is made (API notes, 6.4). */
const fillWrappedKeys = (candidate: Candidate): void => {
  if (child(candidate.stored, 'session') !== undefined || effective(candidate, 'supports_join') !== true)
    return
  const keys = child(child(candidate.device, 'session'), 'keys')
  for (const name of keyNames) {
    const envelope = child(keys, name)
    if (
      keys !== undefined &&
      envelope !== undefined &&
      envelope['key'] === undefined &&
      envelope['encrypted_key'] !== undefined &&
      isSet(candidate, keyPath(name))
    ) {
      keys[name] = { key: zeroKey }
    }
  }
}

/**
 * The rules that tie session, MAC state and keys together (API notes, sections 6.4 and 6.5).
 * @param merged the stored record with the masked paths of the body
 */
export const checkSession = (candidate: Candidate, merged: Message): void => {
  if (touches(candidate, touching)) {
    const hasState = child(merged, 'mac_state') !== undefined
    const hasSession = child(merged, 'session') !== undefined
    if (hasState || hasSession || merged['multicast'] === true) {
      if (!hasSession) throw invalidField('session')
      if (!hasState && isSet(candidate, 'mac_state')) throw invalidField('mac_state')
      checkKeys(candidate, hasState)
    }
  }
  if (
    child(merged, 'pending_session') !== undefined &&
    child(merged, 'pending_mac_state') === undefined &&
    touches(candidate, ['pending_session', 'pending_mac_state'])
  ) {
    throw invalidField('pending_mac_state')
  }
}

const checkKeys = (candidate: Candidate, hasState: boolean): void => {
  const version =
    (hasState ? effective(candidate, 'mac_state.lorawan_version') : undefined) ??
    effective(candidate, 'lorawan_version')
  if (!known(candidate, 'session.dev_addr', 'session')) throw invalidField('session.dev_addr')
  const filled = !isZeroKey(candidate, 'f_nwk_s_int_key') || isFilled(candidate)
  if (!filled) throw invalidField(keyPath('f_nwk_s_int_key'))
  if (version === 'MAC_V1_1') {
    for (const name of ['nwk_s_enc_key', 's_nwk_s_int_key'])
      if (isZeroKey(candidate, name)) throw invalidField(keyPath(name))
  } else {
    for (const name of ['nwk_s_enc_key', 's_nwk_s_int_key']) {
      const path = keyPath(name)
      if (
        isSet(candidate, path) &&
        effective(candidate, path) !== effective(candidate, keyPath('f_nwk_s_int_key'))
      )
        throw invalidField(path)
    }
  }
  if (
    effective(candidate, 'supports_join') === true &&
    !known(candidate, 'session.keys.session_key_id', 'session')
  ) {
    throw invalidField('session.keys.session_key_id')
  }
}

const isFilled = (candidate: Candidate): boolean => {
  const before = child(candidate.stored, 'session') === undefined
  return (
    before &&
    isSet(candidate, keyPath('f_nwk_s_int_key')) &&
    textAt(candidate.device, keyPath('f_nwk_s_int_key')) === zeroKey
  )
}

/** Prepares the body before it is merged: wrapped keys, and the copy of the one network key below LoRaWAN 1.1. */
export const prepareKeys = (candidate: Candidate): void => fillWrappedKeys(candidate)

const copyKeys = (candidate: Candidate, merged: Message, session: string, version: unknown): void => {
  if (version === 'MAC_V1_1' || !coversAny(candidate.mask, keyPath('f_nwk_s_int_key', session))) return
  const keys = child(child(merged, session), 'keys')
  const first = child(keys, 'f_nwk_s_int_key')
  if (keys === undefined || first === undefined) return
  keys['s_nwk_s_int_key'] = { ...first }
  keys['nwk_s_enc_key'] = { ...first }
}

/**
 * Completes a merged record that has a session: derives a MAC state where there is none, copies the network key,
 * and sets `started_at` to now for a session that is new (API notes, sections 6.3 to 6.6).
 */
export const completeSession = (candidate: Candidate, merged: Message, now: string): void => {
  const session = child(merged, 'session')
  if (session === undefined) return
  const storedState = child(candidate.stored, 'mac_state')
  if (storedState === undefined && !isSet(candidate, 'mac_state')) {
    // Only what the request holds counts here, not what is stored (compared with a real server).
    const derived: Message = { mac_state: deriveMacState(candidate.device) }
    const leaves = candidate.mask.filter((path) => path.startsWith('mac_state.'))
    setPaths('EndDevice', derived, candidate.device, leaves)
    merged['mac_state'] = derived['mac_state']
  }
  copyKeys(candidate, merged, 'session', textAt(merged, 'mac_state.lorawan_version'))
  if (child(merged, 'pending_session') !== undefined) {
    copyKeys(candidate, merged, 'pending_session', textAt(merged, 'pending_mac_state.lorawan_version'))
  }
  const cleared =
    isSet(candidate, 'session.started_at') && textAt(candidate.device, 'session.started_at') === undefined
  if (cleared || textAt(candidate.stored, 'session.started_at') === undefined) session['started_at'] = now
}
