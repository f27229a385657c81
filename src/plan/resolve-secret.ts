import { open } from 'node:fs/promises'
import { platform } from 'node:os'
import type { Checked, Diagnostic } from '../domain/diagnostic.ts'
import type { SecretReference } from '../domain/migration-plan.ts'
import { Secret } from '../domain/secret.ts'
import { readProblem } from './read-problem.ts'

interface SecretFile {
  readonly text: string
  /** Permission bits as POSIX has them; absent where the system has none. */
  readonly mode?: number
}

/** Reads a file that holds a secret. Throws as `node:fs` does. */
export type ReadSecretFile = (path: string) => Promise<SecretFile>

/** API keys have 100 characters; more is another file. */
const LONGEST = 16 * 1024

/** From the file system. At most 16 KiB are read. */
const readSecretFile: ReadSecretFile = async (path) => {
  const file = await open(path, 'r')
  try {
    const stats = await file.stat()
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LONGEST + 1), 0, LONGEST + 1)
    const text = buffer.toString('utf8', 0, bytesRead)
    return stats.isFile() && platform() !== 'win32' ? { text, mode: stats.mode & 0o777 } : { text }
  } finally {
    await file.close()
  }
}

const refuse = (code: string, message: string, hint: string): Checked<Secret> => ({
  ok: false,
  diagnostics: [{ code, severity: 'error', message, hint }],
})

/** What goes into a header: printable ASCII without blanks. */
const checked = (raw: string, where: string, diagnostics: readonly Diagnostic[]): Checked<Secret> => {
  const value = raw.replace(/\r?\n$/, '')
  if (value.trim() === '') return refuse('EmptySecret', `${where} is empty`, 'put the key into it')
  if (value.length > LONGEST) {
    return refuse('MalformedSecret', `${where} holds more than 16 KiB`, 'put the key alone into it')
  }
  if (/^bearer\s/i.test(value)) {
    return refuse('MalformedSecret', `${where} begins with Bearer`, 'put the key alone into it')
  }
  if (!/^[\x21-\x7E]+$/.test(value)) {
    const message = `${where} holds blanks, line ends or characters that no key has`
    return refuse(
      'MalformedSecret',
      message,
      'put the key alone into it, on one line, without quotes or comments',
    )
  }
  return { ok: true, value: new Secret(value), diagnostics }
}

/**
 * The secret that a plan refers to, from the environment or a file; a final line end is not part of it.
 * Findings name the variable or file and never a value: MissingSecret, EmptySecret, MalformedSecret,
 * SecretUnreadable, and the warning SecretFileOpen where others may read the file.
 */
export const resolveSecret = async (
  reference: SecretReference,
  env: Readonly<Record<string, string | undefined>>,
  readFile: ReadSecretFile = readSecretFile,
): Promise<Checked<Secret>> => {
  if ('env' in reference) {
    const where = `the environment variable ${reference.env}`
    const value = Object.hasOwn(env, reference.env) ? env[reference.env] : undefined
    if (value !== undefined) return checked(value, where, [])
    return refuse('MissingSecret', `${where} is not set`, `export ${reference.env}=... and run again`)
  }
  const where = `the file ${reference.file}`
  let file: SecretFile
  try {
    file = await readFile(reference.file)
  } catch (cause) {
    return refuse(
      'SecretUnreadable',
      `${where} ${readProblem(cause)}`,
      'write the key into it, readable by you only',
    )
  }
  const open = file.mode !== undefined && (file.mode & 0o077) !== 0
  return checked(file.text, where, open ? [openFile(reference.file, file.mode ?? 0)] : [])
}

const openFile = (path: string, mode: number): Diagnostic => ({
  code: 'SecretFileOpen',
  severity: 'warning',
  message: `the file ${path} may be read by other users (mode ${mode.toString(8).padStart(4, '0')})`,
  hint: `chmod 600 ${path}`,
})
