import { randomBytes } from 'node:crypto'
import type { Json, Message } from '../json/types.ts'
import type { ErrorDefinition } from './error-catalogue.ts'

export { errors } from './error-catalogue.ts'
export type { ErrorDefinition }

const httpStatus: Readonly<Record<number, number>> = {
  1: 499,
  2: 500,
  3: 400,
  4: 504,
  5: 404,
  6: 409,
  7: 403,
  8: 429,
  9: 400,
  10: 409,
  11: 400,
  12: 501,
  13: 500,
  14: 503,
  15: 500,
  16: 401,
}

/**
 * A refusal: thrown by handlers, answered by the server as status and body. `definition` is left out for router and
 * decode errors, whose bodies have no details.
 */
export class StackError extends Error {
  readonly code: number
  readonly definition: ErrorDefinition | undefined
  readonly attributes: Message | undefined
  readonly reason: StackError | undefined

  constructor(
    code: number,
    message: string,
    definition?: ErrorDefinition,
    attributes?: Message,
    reason?: StackError,
  ) {
    super(message)
    this.code = code
    this.definition = definition
    this.attributes = attributes
    this.reason = reason
  }
}

/** A catalogued error with its attributes and, where the real server nests one, its cause. */
export const fail = (definition: ErrorDefinition, attributes?: Message, reason?: StackError): StackError => {
  const text = definition.format.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
    const value = attributes?.[name]
    return value === undefined ? whole : String(value)
  })
  return new StackError(
    definition.code,
    `error:${definition.namespace}:${definition.name} (${text})`,
    definition,
    attributes,
    reason,
  )
}

/** A decode error: code 3, HTTP 400, no details. */
export const decodeError = (message: string): StackError => new StackError(3, message)

/** The HTTP status that belongs to a gRPC code (API notes, section 3.2). */
export const statusOf = (code: number): number => httpStatus[code] ?? 500

const details = (error: StackError, definition: ErrorDefinition): Message => ({
  namespace: definition.namespace,
  name: definition.name,
  message_format: definition.format,
  ...(error.attributes === undefined ? {} : { attributes: error.attributes as Json }),
  correlation_id: randomBytes(16).toString('hex'),
  ...(error.reason?.definition === undefined
    ? {}
    : { cause: details(error.reason, error.reason.definition) }),
  code: definition.code,
})

/** The body of an error answer (API notes, section 3.1). */
export const errorBody = (error: StackError): Message => ({
  code: error.code,
  message: error.message,
  ...(error.definition === undefined
    ? {}
    : {
        details: [
          { '@type': 'type.googleapis.com/ttn.lorawan.v3.ErrorDetails', ...details(error, error.definition) },
        ],
      }),
})
