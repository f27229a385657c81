/**
 * Ids that may not be registered. The real server has a long list; these are the ones that collide with routes, and a
 * few more that a device could well be called.
 */
export const blockedIds: ReadonlySet<string> = new Set([
  'admin',
  'api',
  'application',
  'applications',
  'batch',
  'console',
  'device',
  'devices',
  'fleet',
  'gateway',
  'gateways',
  'search',
  'user',
  'users',
])
