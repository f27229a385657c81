import { isTrue } from '../../device/records.ts'
import { isReprogrammed, isStoppedRoute, keepsKeys, versionAtLeast } from '../../device/route.ts'
import { isMuted } from '../../device/scheduling.ts'
import { type DeviceRule, error, type RuleInput } from './rule.ts'

const AS = 'application-server'

/** EUIs of the device on the target. */
const targetEuis = ({
  source,
  becomes,
}: RuleInput): { readonly devEui?: string; readonly joinEui?: string } => ({
  ...source.ids,
  ...becomes,
})

/** What single ways across ask for; a device that is under way has passed them. */
export const WAYS: readonly DeviceRule[] = [
  {
    from: 'A6d: an ABP device that is turned into OTAA needs EUIs to join with',
    check: (input) =>
      input.route === 'otaa-reprogrammed' && targetEuis(input).joinEui === undefined
        ? error(
            'JoinEuiMissing',
            'it has no JoinEUI to join with',
            'set joinEui in an override for it',
            'join_eui',
          )
        : undefined,
  },
  {
    from: 'The Things Stack knows OTAA devices, and ABP from 1.0.4 on, by their DevEUI',
    check: (input) => {
      const { route, lorawanVersion } = input
      const needs =
        route === 'otaa-reprogrammed' ||
        (route !== undefined && route !== 'multicast' && versionAtLeast(lorawanVersion, 'MAC_V1_0_4'))
      return needs && !input.isUnderWay && targetEuis(input).devEui === undefined
        ? error('DevEuiMissing', 'it has no DevEUI', 'set devEui in an override for it', 'dev_eui')
        : undefined
    },
  },
  {
    from: 'EUIs are unique within a deployment, and the source keeps these until the target has heard the device',
    check: (input) => {
      const { route, sameDeployment, source, isUnderWay } = input
      if (!sameDeployment || isUnderWay || route === undefined || isStoppedRoute(route)) return undefined
      const { devEui, joinEui } = targetEuis(input)
      const isSame = devEui === source.ids.devEui && joinEui === source.ids.joinEui
      return isSame && devEui !== undefined && joinEui !== undefined
        ? error(
            'EuisStayTaken',
            'within one deployment its EUIs stay taken as long as the source keeps it',
            'set devEui or joinEui in an override for it, so that both registrations may exist at once',
            'dev_eui',
          )
        : undefined
    },
  },
  {
    from: 'the source serves the old credentials until the target has heard the new ones',
    check: ({ route, intent, isUnderWay }) =>
      !isUnderWay &&
      route !== undefined &&
      isReprogrammed(route) &&
      intent.policy.deleteSource === 'after-import'
        ? error(
            'ReprogramKeepsSource',
            'a device that will be re-programmed is served by the source until then, so it can not be deleted right after the import',
            'set policy.deleteSource: after-heard in an override for it',
          )
        : undefined,
  },
  {
    from: 'payloads that stay encrypted',
    check: ({ source, route, intent, isUnderWay }) =>
      !isUnderWay &&
      intent.policy.queuedDownlinks === 'copy' &&
      route !== undefined &&
      isStoppedRoute(route) &&
      keepsKeys(route) &&
      (isTrue(source, AS, 'skip_payload_crypto_override') || isTrue(source, AS, 'skip_payload_crypto'))
        ? error(
            'QueueEncrypted',
            'its downlinks are encrypted by the application for counters of the source, and can not be copied',
            'set policy.queuedDownlinks: wait-empty or report in an override for it',
          )
        : undefined,
  },
  {
    from: 'rejoin.trigger: the source has to send the downlink, and to refuse the join that follows',
    check: ({ source, route, isUnderWay }) => {
      if (route !== 'joining-triggered' || isUnderWay) return undefined
      if (source.registries['join-server'] === undefined)
        return error(
          'TriggerNeedsJoinServer',
          'its Join Server is of another operator, so its root keys can not be replaced before the target speaks',
          'set policy.rejoin: { trigger: manual } in an override for it',
        )
      return isMuted(source)
        ? error(
            'TriggerNeedsSource',
            'the source is muted and can not send the downlink that makes it join',
            'unset schedule_downlinks on the source, or set policy.rejoin: { trigger: manual } in an override for it',
          )
        : undefined
    },
  },
  {
    from: 'what waits to be sent has to be seen',
    check: ({ route, queue, isUnderWay, intent: { policy } }) => {
      if (isUnderWay || queue !== undefined || route === undefined || isReprogrammed(route)) return undefined
      const needs =
        route === 'multicast' || route === 'joining-triggered' || policy.queuedDownlinks !== 'report'
      return needs
        ? error(
            'QueueUnknown',
            'its queue of downlinks can not be seen with this API key',
            'add RIGHT_APPLICATION_TRAFFIC_READ to the API key of the source',
          )
        : undefined
    },
  },
]
