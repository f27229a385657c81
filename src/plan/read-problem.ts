const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EISDIR: 'is a folder',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
  ENAMETOOLONG: 'has a name that is too long',
}

/** Why a file could not be read, in words for a person; the path is not part of it. */
export const readProblem = (cause: unknown): string => {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return PROBLEMS[code] ?? `could not be read${code === '' ? '' : ` (${code})`}`
}
