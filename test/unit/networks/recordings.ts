import { readdirSync, readFileSync } from 'node:fs'
import type { Json } from '../../../src/domain/json.ts'

export interface Exchange {
  readonly file: string
  readonly index: number
  readonly request: {
    readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
    readonly path: string
    readonly auth: string
    readonly body?: Json
  }
  readonly response: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: Json
  }
}

const FOLDER = new URL('../../recordings/things-stack/', import.meta.url)

/** Every exchange with a real server that was recorded, in order. */
export const recordedExchanges: readonly Exchange[] = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .sort()
  .flatMap((file) => {
    const { steps } = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as {
      readonly steps: readonly Omit<Exchange, 'file' | 'index'>[]
    }
    return steps.map((step, index) => ({ ...step, file, index }))
  })
