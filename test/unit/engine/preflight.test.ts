import { describe, expect, it } from 'vitest'
import type { Diagnostic } from '../../../src/domain/diagnostic.ts'
import type { NetworkPort } from '../../../src/domain/ports.ts'
import { preflight } from '../../../src/engine/planning/preflight.ts'

const network = (...findings: readonly Diagnostic[]): NetworkPort =>
  ({ preflight: async () => findings }) as unknown as NetworkPort

const finding = (severity: Diagnostic['severity'], message: string): Diagnostic => ({
  code: 'CredentialRefused',
  severity,
  message,
})

const NEEDS = { source: [], target: [] }

describe('preflight', () => {
  it('tells once what both applications of one network find', async () => {
    const refused = finding('error', 'the key was not recognised')
    await expect(preflight(network(refused), network({ ...refused }), true, NEEDS)).rejects.toMatchObject({
      diagnostics: [refused],
    })
    const soon = finding('warning', 'the key ends soon')
    expect(await preflight(network(soon), network({ ...soon }), true, NEEDS)).toEqual([soon])
  })

  it('tells each of two findings that differ', async () => {
    const [one, other] = [finding('error', 'of one'), finding('error', 'of the other')]
    await expect(preflight(network(one), network(other), true, NEEDS)).rejects.toMatchObject({
      diagnostics: [one, other],
    })
  })
})
