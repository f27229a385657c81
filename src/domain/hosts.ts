import type { ServerUrls } from './migration-plan.ts'

/** Hosts of The Things Stack Cloud: one Identity Server for each tenant, in its first region (`ttn-lw-cli use`). */
const CLOUD = /^([a-z0-9][a-z0-9-]*)\.((?:nam|sam|eu|af|as|au)\d+)\.cloud\.thethings\.industries$/
/** Hosts of The Things Stack Sandbox (Community Edition): one Identity Server for all regions. */
const SANDBOX = /^((?:nam|sam|eu|af|as|au)\d+)\.cloud\.thethings\.network$/

const IDENTITY_REGION = 'eu1'

/** This machine, by any of its names. */
export const isLoopback = (hostname: string): boolean =>
  /^(?:localhost|.+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname)

/**
 * The origin of the Identity Server of a network, from the address of any of its hosts: in the Cloud and the
 * Sandbox that of eu1 (documentation of the vendor, server addresses), elsewhere the host itself.
 */
export const identityOriginOf = (url: URL): string => {
  const cloud = CLOUD.exec(url.hostname)
  if (cloud !== null) return `https://${cloud[1]}.${IDENTITY_REGION}.cloud.thethings.industries`
  return SANDBOX.test(url.hostname) ? `https://${IDENTITY_REGION}.cloud.thethings.network` : url.origin
}

/** Host and port by which two addresses are compared; names of this machine are one. */
export const hostKey = (url: URL): string => {
  const host = isLoopback(url.hostname) ? 'localhost' : url.hostname.replace(/\.$/, '')
  return `${host}:${url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port}`
}

/**
 * The deployment that an address belongs to. EUIs are unique within one: all tenants and regions of the
 * Cloud are one, all regions of the Sandbox are one, and any other host and port is one of its own.
 */
export const deploymentOf = (url: URL): string => {
  if (/(^|\.)cloud\.thethings\.industries$/.test(url.hostname)) return 'the Cloud of The Things Industries'
  if (/(^|\.)cloud\.thethings\.network$/.test(url.hostname)) return 'The Things Stack Sandbox'
  return hostKey(url)
}

/** Whether any registry of two networks is served by one deployment: then EUIs are unique over both. */
export const isSameDeployment = (a: ServerUrls, b: ServerUrls): boolean =>
  (['identity', 'join', 'network', 'application'] as const).some(
    (registry) => deploymentOf(new URL(a[registry])) === deploymentOf(new URL(b[registry])),
  )
