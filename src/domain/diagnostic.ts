/** Where a finding is: a place in a file, or a device and a field of it. */
export type Subject =
  | { readonly file: string; readonly line: number; readonly column: number }
  | { readonly device: string; readonly path?: string }

/**
 * A finding about input, as a value: what stops a run is thrown as `FerryError`, what concerns one field
 * or one device is collected. `code` is PascalCase, stable, and listed in `docs/errors.md`.
 */
export interface Diagnostic {
  readonly code: string
  /** `error` refuses the plan or blocks the device; `warning` needs a reader; `note` is told and no more. */
  readonly severity: 'error' | 'warning' | 'note'
  /** One sentence, lower case, without full stop, with the wrong value in it. */
  readonly message: string
  /** What to write or do instead. */
  readonly hint?: string
  readonly subject?: Subject
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }
