import type { DeviceRecord } from '../../../domain/device.ts'
import { isTrue, secretField, textField } from '../../device/records.ts'
import { profileOf, versionAtLeast } from '../../device/route.ts'
import { error, type Verdict } from './rule.ts'

const NS = 'network-server'
const AS = 'application-server'

/** What is wrong with a session that is to be carried; its keys are compared, never shown. */
export const sessionFault = (source: DeviceRecord): Verdict | undefined => {
  const devAddr = textField(source, NS, 'session.dev_addr')
  const network = ['f_nwk_s_int_key', 's_nwk_s_int_key', 'nwk_s_enc_key'].map((name) =>
    secretField(source, NS, `session.keys.${name}.key`),
  )
  const [forwarding, serving, encryption] = network
  const appSKey = secretField(source, AS, 'session.keys.app_s_key.key')
  const repair = 'let it join again on the source, or exclude it'
  const skipsCrypto =
    isTrue(source, AS, 'skip_payload_crypto_override') || isTrue(source, AS, 'skip_payload_crypto')
  if (devAddr === undefined || forwarding === undefined)
    return error(
      'SessionIncomplete',
      "the source's Network Server holds no complete session",
      repair,
      'session',
    )
  if (appSKey === undefined && !skipsCrypto)
    return error(
      'SessionIncomplete',
      "the source's Application Server holds no AppSKey for the session",
      repair,
      'session.keys.app_s_key.key',
    )
  const present = [...network, appSKey].filter((key) => key !== undefined)
  if (present.some((key) => /^0+$/.test(key.reveal())))
    return error(
      'SessionKeysCleared',
      'a session key is all zeros: it was handed over or cleared before',
      repair,
      'session.keys',
    )
  if (
    textField(source, AS, 'session.dev_addr') !== devAddr ||
    textField(source, AS, 'session.keys.session_key_id') !==
      textField(source, NS, 'session.keys.session_key_id')
  ) {
    return error(
      'SessionsDiffer',
      "the source's Network Server and Application Server hold different sessions",
      'wait for its next uplink, or let it join again on the source',
      'session',
    )
  }
  if (versionAtLeast(profileOf(source).lorawanVersion, 'MAC_V1_1')) {
    return serving === undefined || encryption === undefined
      ? error(
          'SessionIncomplete',
          'a LoRaWAN 1.1 session needs three network session keys',
          repair,
          'session.keys',
        )
      : undefined
  }
  return [serving, encryption].some((key) => key !== undefined && !key.equals(forwarding))
    ? error(
        'NetworkKeysDiffer',
        'below LoRaWAN 1.1 the network session keys must be equal',
        'correct the LoRaWAN version on the source, or let it join again',
        'session.keys',
      )
    : undefined
}
