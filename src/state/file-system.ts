import * as promises from 'node:fs/promises'

/** The file operations that state and escrow use: one place where tests count them and let them fail. */
export type FileSystem = Pick<
  typeof promises,
  'chmod' | 'link' | 'mkdir' | 'open' | 'readdir' | 'readFile' | 'realpath' | 'rename' | 'stat' | 'unlink'
>

export const nodeFiles: FileSystem = promises

/** The `ENOSPC` of a failed file operation; undefined for errors of another kind. */
export const errorCodeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

const SENTENCES: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'disk quota exceeded',
  EEXIST: 'it exists already',
  EFBIG: 'the file is too large',
  EIO: 'the disk reported an error',
  EISDIR: 'it is a folder',
  ENOENT: 'no such file or folder',
  ENOSPC: 'no space left on the disk',
  ENOTDIR: 'a part of the path is not a folder',
  EPERM: 'operation not permitted',
  EROFS: 'the disk is read-only',
}

/** What went wrong, in words for a person, with the system's code: `no space left on the disk (ENOSPC)`. */
export const fileErrorText = (error: unknown): string => {
  const code = errorCodeOf(error)
  const sentence = code === undefined ? undefined : SENTENCES[code]
  if (sentence !== undefined) return `${sentence} (${code})`
  return error instanceof Error ? error.message : String(error)
}
