import { readFile } from 'node:fs/promises'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { FerryError } from '../domain/errors.ts'
import type { HouseRules } from '../domain/house-rules.ts'
import { limitsOf } from './normalise.ts'
import type { HouseRulesDocument } from './plan-document.ts'
import { readProblem } from './read-problem.ts'
import { planSchema } from './schema.ts'

/** Fields as in a plan, whose schema describes them. */
const schema = (): object => {
  const { forbid, limits } = planSchema().properties ?? {}
  return {
    type: 'object',
    additionalProperties: false,
    required: ['apiVersion', 'kind'],
    properties: {
      apiVersion: { const: 'ferry/v1' },
      kind: { const: 'OrganisationPolicy' },
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
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw refuse(file, readProblem(cause), cause)
  }
  let document: unknown
  try {
    document = parse(text, { version: '1.2', logLevel: 'silent' })
  } catch (cause) {
    throw refuse(file, 'is not YAML', cause)
  }
  const ajv = new Ajv({ strict: false })
  const check = ajv.compile(schema())
  if (!check(document)) {
    const [problem] = check.errors ?? []
    const where =
      problem?.instancePath === '' ? 'it' : (problem?.instancePath ?? 'it').slice(1).replaceAll('/', '.')
    throw refuse(file, `is not what it should be: ${where} ${problem?.message ?? 'is wrong'}`)
  }
  const { forbid, limits } = document as HouseRulesDocument
  return { forbid: forbid ?? [], limits: limitsOf(limits) }
}
