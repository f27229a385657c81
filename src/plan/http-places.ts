import type { Path } from './located.ts'
import type { Draft } from './plan-document.ts'

/** Places on servers that are neither source nor target. */
export const HTTP_PLACES = [
  ['state', 'http'],
  ['escrow', 'http'],
] as const

export type HttpPlacePath = (typeof HTTP_PLACES)[number]

type Place = NonNullable<NonNullable<Draft['escrow']>['http']>

/** What a plan says of a place; undefined where it has none. */
export const placeAt = ({ state, escrow }: Draft, [first]: HttpPlacePath): Place | undefined =>
  first === 'escrow' ? escrow?.http : typeof state === 'object' ? state.http : undefined

/** The addresses of a place, with their paths in the plan. */
export const addressesAt = (
  draft: Draft,
  at: HttpPlacePath,
): readonly { readonly path: Path; readonly text: string }[] => {
  const { state } = draft
  const locks = at[0] === 'state' && typeof state === 'object' ? state.http : undefined
  return [
    ['address', placeAt(draft, at)?.address] as const,
    ['lockAddress', locks?.lockAddress] as const,
    ['unlockAddress', locks?.unlockAddress] as const,
  ].flatMap(([name, text]) => (text === undefined ? [] : [{ path: [...at, name], text }]))
}
