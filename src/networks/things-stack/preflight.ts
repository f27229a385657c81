import type { Registry } from '../../domain/device.ts'
import type { Diagnostic } from '../../domain/diagnostic.ts'
import { NetworkError } from '../../domain/errors.ts'
import type { Json } from '../../domain/json.ts'
import type { Intent, QueueNeed } from '../../domain/ports.ts'
import { type Api, maskQuery } from './api.ts'
import { arrayOf, objectOf, textOf, valueAt } from './json-tree.ts'
import { missingRights } from './rights.ts'

/** Refusals that are findings; anything else, such as an unreachable host, ends the check. */
const FINDINGS: ReadonlySet<string> = new Set([
  'CredentialRefused',
  'ApplicationNotFound',
  'NoApplicationRights',
  'MissingRight',
  'RegistryNotServed',
])

/** A wrong host or a server that is down shall be told soon. */
const ATTEMPTS = 3

const orFinding = async <T>(ask: Promise<T>): Promise<T | Diagnostic> => {
  try {
    return await ask
  } catch (error) {
    if (!(error instanceof NetworkError) || !FINDINGS.has(error.code)) throw error
    return diagnosticOf(error)
  }
}

const diagnosticOf = (error: NetworkError): Diagnostic => ({
  code: error.code,
  severity: 'error',
  message: error.message,
  ...(error.hint === undefined ? {} : { hint: error.hint }),
})

const isDiagnostic = (value: unknown): value is Diagnostic =>
  typeof value === 'object' && value !== null && 'severity' in value

/** What `/auth_info` tells of the credential: which application it belongs to, when it ends. */
interface Credential {
  readonly application?: string
  readonly expiresAt?: string
}

const authInfo = async (api: Api): Promise<Credential | Diagnostic> => {
  const registry = 'identity-server'
  const { body } = await api.call({ method: 'GET', registry, path: '/auth_info', attempts: ATTEMPTS })
  if (Object.keys(objectOf(body) ?? {}).length === 0) {
    return {
      code: 'CredentialRefused',
      severity: 'error',
      message: `the Identity Server at ${new URL(api.urls.identity).host} did not recognise the API key`,
      hint: 'create an API key of the application there, and name it in the plan',
    }
  }
  const application = textOf(valueAt(body, 'api_key.entity_ids.application_ids.application_id'))
  const expiresAt = textOf(valueAt(body, 'api_key.api_key.expires_at'))
  return {
    ...(application === undefined ? {} : { application }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}

const DAY = 86_400_000

const expiry = ({ expiresAt }: Credential, now: number): readonly Diagnostic[] => {
  const left = expiresAt === undefined ? Number.NaN : Date.parse(expiresAt) - now
  if (Number.isNaN(left) || left > DAY) return []
  return [
    {
      code: 'CredentialExpires',
      severity: 'warning',
      message: `the API key ends at ${expiresAt}, within a day`,
      hint: 'a run that needs longer stops in the middle and can be continued with another key',
    },
  ]
}

const rightsOf = (body: Json | undefined): readonly string[] =>
  arrayOf(objectOf(body)?.['rights']).filter((right): right is string => typeof right === 'string')

const checkRights = async (
  api: Api,
  intent: Intent,
  needs: readonly QueueNeed[],
  credential: Credential,
): Promise<readonly Diagnostic[]> => {
  const path = `/applications/${encodeURIComponent(api.application)}/rights`
  const host = new URL(api.urls.identity).host
  const { body } = await api.call({ method: 'GET', registry: 'identity-server', path, attempts: ATTEMPTS })
  const granted = rightsOf(body)
  if (granted.length === 0) {
    const other = credential.application
    const belongs = other === undefined || other === api.application ? '' : `; it belongs to ${other}`
    return [
      {
        code: 'NoApplicationRights',
        severity: 'error',
        message: `the API key has no right on the application ${api.application} at ${host}, if there is one${belongs}`,
        hint: 'check application in the plan, and that the API key belongs to it',
      },
    ]
  }
  return missingRights(intent, needs, granted).map(({ right, purpose, optional }) => ({
    code: 'MissingRight',
    severity: optional ? 'warning' : 'error',
    message: `the API key for ${api.application} at ${host} lacks ${right}, needed to ${purpose}`,
    hint: optional ? 'without it this is reported as unknown' : 'add the right to the API key',
  }))
}

/** A device that hardly exists: an answer with details, whatever it is, shows that the registry is there. */
const NOBODY = 'ferry-preflight'

const checkServed = async (api: Api, registry: Registry): Promise<readonly Diagnostic[]> => {
  const path = api.devicesPath(registry, NOBODY)
  const ask = api.callDevice({ method: 'GET', registry, path, query: maskQuery(['ids']), attempts: ATTEMPTS })
  const answer = await orFinding(ask)
  // Missing rights have been told by then.
  return isDiagnostic(answer) && answer.code !== 'MissingRight' ? [answer] : []
}

/** Credential, application, rights, the registries that the network has: in this order, so that the first cause is told and not its effects. */
export const preflight = async (
  api: Api,
  registries: readonly Registry[],
  intent: Intent,
  needs: readonly QueueNeed[],
  now: number,
): Promise<readonly Diagnostic[]> => {
  const credential = await orFinding(authInfo(api))
  if (isDiagnostic(credential)) return [credential]
  const rights = await orFinding(checkRights(api, intent, needs, credential))
  if (isDiagnostic(rights)) return [rights]
  if (rights.some(({ code }) => code === 'NoApplicationRights')) return rights
  // The Identity Server has answered by now.
  const others = registries.filter((registry) => registry !== 'identity-server')
  const served = await Promise.all(others.map((registry) => checkServed(api, registry)))
  return [...expiry(credential, now), ...rights, ...served.flat()]
}
