import type { FileEnd } from '../../domain/migration-plan.ts'
import type { NetworkPort } from '../../domain/ports.ts'

export const createFile = (_options: { readonly end: FileEnd }): NetworkPort => {
  throw new Error('not yet')
}
