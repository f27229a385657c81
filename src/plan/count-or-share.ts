import type { CountOrShare } from '../domain/house-rules.ts'

/** `500`, or `5%`, which the schema has checked. */
export const countOrShare = (text: number | string): CountOrShare =>
  typeof text === 'number' ? { count: text } : { share: Number(text.replace('%', '')) / 100 }
