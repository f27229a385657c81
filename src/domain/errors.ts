import type { Registry } from './device.ts'
import type { Diagnostic } from './diagnostic.ts'

/** Kinds of ends of a command, each with one exit code (`cli/exit-codes.ts`). */
export type FailureKind =
  | 'unexpected'
  | 'plan-invalid'
  | 'blocked'
  | 'stale'
  | 'locked'
  | 'partial'
  | 'differences'
  | 'credentials'
  | 'usage'
  | 'state-not-written'

/** What stops a run. One sentence with what to do; the code is stable and listed in `docs/errors.md`. */
export class FerryError extends Error {
  readonly code: string
  readonly kind: FailureKind
  readonly hint: string | undefined
  readonly diagnostics: readonly Diagnostic[]

  constructor(
    kind: FailureKind,
    code: string,
    message: string,
    options: {
      readonly hint?: string
      readonly cause?: unknown
      readonly diagnostics?: readonly Diagnostic[]
    } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'FerryError'
    this.kind = kind
    this.code = code
    this.hint = options.hint
    this.diagnostics = options.diagnostics ?? []
  }
}

/** What a network answered, without any value that was sent. */
export interface NetworkFault {
  /** Whether the request may have had its effect: `none` (refused or never sent) or `unknown` (sent, no answer). */
  readonly effect: 'none' | 'unknown'
  readonly registry?: Registry
  /** `METHOD path` without query values. */
  readonly request: string
  readonly status?: number
  /** `namespace:name` of The Things Stack's error details, such as `pkg/identityserver:end_device_euis_taken`. */
  readonly name?: string
  readonly attributes?: Readonly<Record<string, unknown>>
  readonly correlationId?: string
}

/** The one exception that crosses from a network adapter to the engine. */
export class NetworkError extends Error {
  readonly code: string
  readonly fault: NetworkFault
  readonly hint: string | undefined

  constructor(
    code: string,
    message: string,
    fault: NetworkFault,
    options: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.name = 'NetworkError'
    this.code = code
    this.fault = fault
    this.hint = options.hint
  }

  /** The credential is refused or lacks a right: nothing else can succeed either, so the run ends. */
  get refusesCredentials(): boolean {
    return this.fault.status === 401 || this.fault.status === 403 || this.code === 'CredentialRefused'
  }
}
