import { writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { request } from 'undici'
import { describe, expect, it } from 'vitest'
import { NetworkError } from '../../src/index.ts'
import { createAuthority, issue } from '../support/certificates.ts'
import { register } from '../support/fleet.ts'
import { sample } from '../support/interruptions.ts'
import { METER } from '../support/meters.ts'
import { type Migration, startMigration } from '../support/migration.ts'
import { promisesBroken } from '../support/promises.ts'
import { storeOf } from '../support/stack-api.ts'

interface Front {
  readonly url: string
  /** The certificate expires after so many more requests. */
  readonly expiresAfter: (requests: number) => void
  readonly renew: () => void
  readonly close: () => Promise<void>
}

/** TLS in front of a network; each request makes a connection of its own, so that its certificate is looked at. */
const startFront = async (
  origin: string,
  valid: { readonly cert: string; readonly key: string },
  expired: { readonly cert: string; readonly key: string },
): Promise<Front> => {
  let left = Number.POSITIVE_INFINITY
  const server: Server = createServer(valid, async (incoming, outgoing) => {
    left -= 1
    if (left <= 0) server.setSecureContext(expired)
    const { method = 'GET', url = '/', headers } = incoming
    const body = await Readable.from(incoming).toArray()
    const answer = await request(`${origin}${url}`, {
      method: method as 'GET',
      headers: {
        authorization: headers.authorization ?? '',
        'content-type': headers['content-type'] ?? 'application/json',
      },
      ...(body.length === 0 ? {} : { body: Buffer.concat(body) }),
    })
    const { 'content-length': _length, connection: _connection, ...rest } = answer.headers
    outgoing.writeHead(answer.statusCode, { ...(rest as Record<string, string>), connection: 'close' })
    outgoing.end(await answer.body.text())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    expiresAfter: (requests) => {
      left = requests
    },
    renew: () => {
      left = Number.POSITIVE_INFINITY
      server.setSecureContext(valid)
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

const withFront = async (work: (migration: Migration, front: Front) => Promise<void>): Promise<void> => {
  const migration = await startMigration()
  const authority = createAuthority('test authority')
  const front = await startFront(
    migration.target.url,
    issue(authority, '127.0.0.1'),
    issue(authority, '127.0.0.1', '20210101000000Z'),
  )
  try {
    await register(migration.source, METER)
    const file = await migration.writePlan('policy: { persistSession: true }\nrollout: { maxConcurrency: 1 }')
    const ca = join(migration.folder, 'ca.pem')
    await writeFile(ca, authority.pem)
    const text = await migration.planText()
    const secured = text.replace(
      new RegExp(`url: "${migration.target.url}"(.*?), insecure: true`),
      `url: "${front.url}"$1, caFile: ${ca}`,
    )
    expect(secured).not.toBe(text)
    await writeFile(file, secured)
    await work(migration, front)
  } finally {
    await front.close()
    await migration.close()
  }
}

const promisesHold = async (migration: Migration): Promise<void> => {
  expect(await promisesBroken(migration, METER)).toEqual([])
}

describe('a certificate of the target that expires', () => {
  it('before the run: it is told, and nothing is written [edge 95]', async () => {
    await withFront(async (migration, front) => {
      front.expiresAfter(0)
      await migration.plan().catch(() => undefined)
      await expect(migration.plan()).rejects.toMatchObject({ code: 'CertificateRefused' })
      expect((await storeOf(migration.target)).identityServer).toEqual({})
    })
  })

  it('after any request of a run: what is there is kept, and a run after its renewal reaches the end', async () => {
    for (const requests of sample([12, 20, 26, 30, 34, 38, 42], 2))
      await withFront(async (migration, front) => {
        front.expiresAfter(requests)
        const outcome = await migration.apply().catch((error: unknown) => error)
        const isTold = outcome instanceof NetworkError && outcome.code === 'CertificateRefused'
        expect(isTold || JSON.stringify(outcome).includes('CertificateRefused'), `after ${requests}`).toBe(
          true,
        )
        await promisesHold(migration)
        front.renew()
        await migration.apply()
        await promisesHold(migration)
        expect(await migration.apply(), `after ${requests}`).toMatchObject({ status: 'nothing-to-do' })
        const held = (await storeOf(migration.target)).networkServer[
          `${migration.target.application}/meter-1`
        ]
        expect(held?.['session'], `after ${requests}`).toMatchObject({ last_f_cnt_up: METER.fCntUp })
      })
  })
})
