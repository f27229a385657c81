import type { Path } from './located.ts'

/** Whether a path is a reference to a secret, below which nothing that was written is ever shown. */
export const isSecretReference = (path: Path): boolean => {
  const [first, second] = path
  if (path.length === 1) return first === 'digestKey'
  if (path.length === 3) return (first === 'state' || first === 'escrow') && path[2] === 'password'
  const isKey = second === 'apiKey' || second === 'accessKey'
  return path.length === 2 && (first === 'source' || first === 'target') && isKey
}

/** Whether a path is a reference to a secret, or in one. */
export const isInSecretReference = (path: Path): boolean =>
  [1, 2, 3].some((length) => isSecretReference(path.slice(0, length)))
