import { readFile } from 'node:fs/promises'
import { Ajv } from 'ajv'
import { FerryError } from '../domain/errors.ts'
import type { HouseRules } from '../domain/house-rules.ts'
import { limitsOf } from './normalise.ts'
import { plainValue } from './plain-value.ts'
import type { HouseRulesDocument } from './plan-document.ts'
import { decodeText } from './plan-text.ts'
import { readProblem } from './read-problem.ts'
import { readYaml } from './read-yaml.ts'
import { planSchema, type SchemaNode } from './schema.ts'

/** Fields as in a plan, whose schema describes them. */
const schema = (): SchemaNode => {
  const { forbid = {}, limits = {} } = planSchema().properties ?? {}
  return {
    type: 'object',
    additionalProperties: false,
    required: ['apiVersion', 'kind'],
    properties: {
      apiVersion: { type: 'string', enum: ['ferry/v1'] },
      kind: { type: 'string', enum: ['OrganisationPolicy'] },
      forbid,
      limits,
    },
  }
}

const refuse = (file: string, message: string, cause?: unknown): FerryError =>
  new FerryError(
    'plan-invalid',
    'OrganisationPolicyInvalid',
    `the organisation's policy ${file} ${message}`,
    {
      hint: 'FERRY_POLICY names it; it holds apiVersion: ferry/v1, kind: OrganisationPolicy, forbid and limits',
      ...(cause === undefined ? {} : { cause }),
    },
  )

/**
 * What an organisation says for all of its plans.
 * @throws FerryError kind `plan-invalid`, `OrganisationPolicyInvalid`: nothing is done where it can not be read
 */
export const readOrganisationPolicy = async (file: string): Promise<HouseRules> => {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw refuse(file, readProblem(cause), cause)
  })
  const decoded = decodeText(bytes)
  const { root, findings } = readYaml(decoded.text)
  const [problem] = [...decoded.findings, ...findings].filter(({ severity }) => severity === 'error')
  if (problem !== undefined || root === undefined)
    throw refuse(file, `can not be read: ${problem?.message ?? 'it is empty'}`)
  const policySchema = schema()
  const { value: document } = plainValue(root, policySchema)
  const ajv = new Ajv({ strict: false })
  const check = ajv.compile(policySchema)
  if (!check(document)) {
    const [wrong] = check.errors ?? []
    const where =
      wrong?.instancePath === '' ? 'it' : (wrong?.instancePath ?? 'it').slice(1).replaceAll('/', '.')
    throw refuse(file, `is not what it should be: ${where} ${wrong?.message ?? 'is wrong'}`)
  }
  const { forbid, limits } = document as HouseRulesDocument
  return { forbid: forbid ?? [], limits: limitsOf(limits) }
}
