import { appendFileSync, chmodSync } from 'node:fs'
import { inspect } from 'node:util'
import { redact } from '../domain/redact.ts'
import { toolName } from './version.ts'

/**
 * Adds an error with its stack and causes to the debug file, mode 0600, with whatever looks like a key redacted.
 * False where the file can't be written: an error is never hidden behind another one.
 */
export const writeDebug = (file: string, error: unknown, argv: readonly string[], at: Date): boolean => {
  const head = `${at.toISOString()} ${toolName()} node ${process.version} ${process.platform}`
  const command = argv.map((word) => JSON.stringify(word)).join(' ')
  const text = `${head}\nferry ${command}\n${inspect(error, { depth: 6, breakLength: 120 })}\n\n`
  try {
    appendFileSync(file, redact(text), { mode: 0o600 })
    chmodSync(file, 0o600)
    return true
  } catch {
    return false
  }
}
