import { execFileSync } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sampleDevices } from '../../src/simulator/sample/devices.ts'
import { radioOf, virtualDeviceOf } from '../../src/simulator/virtual-device.ts'
import { escrowAt, type StateServer, startStateServer, stateAt } from '../support/state-server.ts'
import { type CodeHost, type Ran, runGitlabJob, runWorkflow, startCodeHost } from '../support/workflow.ts'
import { createPlace, type Place } from './support.ts'

const PULL = 7
const IDS = ['meter-102', 'meter-103'] as const

/** A repository with a plan on a branch, a runner with a disk that stays, and the host of both. */
interface Stage {
  readonly place: Place
  readonly host: CodeHost
  /** Changes the plan on the branch. */
  edit(change: (plan: string) => string): Promise<void>
  merge(): void
  run(workflow: string, branch?: string): Promise<Ran>
  /** The same at the other code host. */
  runJob(job: string, branch?: string): Promise<Pick<Ran, 'code' | 'output'>>
  hear(): Promise<void>
}

/**
 * disk: state and escrow lie on one that the jobs share. address: each job has nothing but its clone. repository: the same,
 * and the workflows commit the state.
 */
type Kept = 'disk' | 'address' | 'repository'

const STATE: Readonly<Record<Kept, (place: Place, server: StateServer) => string>> = {
  disk: (place) => `state: ${place.path('srv/building-a.state.jsonl')}`,
  address: (_, server) => stateAt(server),
  repository: () => '',
}

const onStage = async (act: (stage: Stage) => Promise<void>, kept: Kept = 'disk'): Promise<void> => {
  const place = await createPlace()
  const server = await startStateServer('gitlab')
  const host = await startCodeHost(PULL)
  const git = (folder: string, ...words: readonly string[]): void => {
    execFileSync('git', ['-c', 'user.name=Made Up', '-c', 'user.email=made-up@example.com', ...words], {
      cwd: place.path(folder),
      stdio: 'pipe',
    })
  }
  try {
    await Promise.all(['bin', 'srv', 'author'].map((folder) => mkdir(place.path(folder))))
    await writeFile(
      place.path('bin/ferry'),
      `#!/bin/sh\nexec "${process.execPath}" "${resolve('dist/cli/main.js')}" "$@"\n`,
    )
    await chmod(place.path('bin/ferry'), 0o755)
    await place.plan({
      include: `{ ids: [${IDS.join(', ')}] }`,
      policy: 'persistSession: true, deleteSource: after-heard',
      rest: `verify: { retireAfter: 0s }\n${STATE[kept](place, server)}\n`,
    })
    const plan = (await place.read('plan.yaml')).replace(
      /^escrow: \{ (.*) \}$/m,
      kept === 'disk'
        ? `escrow: { $1, path: ${place.path('srv/building-a.escrow')}, durable: true }`
        : `escrow: { $1, ${escrowAt(server)} }`,
    )
    git('.', 'init', '--quiet', '--bare', '--initial-branch=main', 'origin.git')
    git('author', 'init', '--quiet', '--initial-branch=main')
    git('author', 'remote', 'add', 'origin', place.path('origin.git'))
    git('author', 'commit', '--quiet', '--allow-empty', '-m', 'Begin')
    git('author', 'push', '--quiet', 'origin', 'main')
    git('author', 'checkout', '--quiet', '-b', 'move')
    await mkdir(place.path('author/migrations'))
    let number = 0
    // Each job has a clone of its own, in a folder of its own.
    const cloned = async (branch: string): Promise<string> => {
      number += 1
      const job = `job-${number}`
      await mkdir(place.path(job))
      git('.', 'clone', '--quiet', '--branch', branch, place.path('origin.git'), `${job}/work`)
      return place.path(`${job}/work`)
    }
    const variables = {
      PATH: `${place.path('bin')}:${process.env['PATH'] ?? ''}`,
      HOME: place.path('.'),
      STATE_PASSWORD: server.password,
    }
    const stage: Stage = {
      place,
      host,
      edit: async (change) => {
        await writeFile(place.path('author/migrations/building-a.yaml'), change(plan))
        git('author', 'checkout', '--quiet', 'move')
        git('author', 'add', '--all')
        git('author', 'commit', '--quiet', '-m', 'Plan')
        git('author', 'push', '--quiet', 'origin', 'move')
      },
      merge: () => {
        git('author', 'checkout', '--quiet', 'main')
        git('author', 'merge', '--quiet', '--no-ff', '-m', 'Merge', 'move')
        git('author', 'push', '--quiet', 'origin', 'main')
      },
      run: async (workflow, branch = 'main') =>
        runWorkflow(workflow, {
          cwd: await cloned(branch),
          env: {
            ...variables,
            GITHUB_API_URL: host.url,
            GITHUB_REPOSITORY: 'made-up/fleet',
            GITHUB_SHA: 'made-up',
          },
          ...(kept === 'repository' && workflow !== 'ferry plan' ? { added: 'Keep the state' } : {}),
          expressions: {
            'github.token': 'made-up',
            'github.event.pull_request.number': String(PULL),
            'secrets.SOURCE_API_KEY': place.env['SOURCE_API_KEY'] ?? '',
            'secrets.TARGET_API_KEY': place.env['TARGET_API_KEY'] ?? '',
          },
        }),
      runJob: async (job, branch = 'main') =>
        runGitlabJob(job, {
          cwd: await cloned(branch),
          env: {
            ...variables,
            SOURCE_API_KEY: place.env['SOURCE_API_KEY'] ?? '',
            TARGET_API_KEY: place.env['TARGET_API_KEY'] ?? '',
            FERRY_TOKEN: 'made-up',
            FERRY_BOT: 'ferry-bot',
            CI_API_V4_URL: host.url,
            CI_PROJECT_ID: '1',
            CI_MERGE_REQUEST_IID: String(PULL),
            CI_COMMIT_SHA: 'made-up',
          },
        }),
      hear: async () => {
        const target = radioOf(place.simulator.networks[1])
        for (const id of IDS) {
          const sample = sampleDevices.find((each) => each.id === id)
          if (sample === undefined) throw new Error(`no ${id}`)
          expect(await virtualDeviceOf(sample).uplink(target, { confirmed: true })).toMatchObject({
            accepted: true,
          })
        }
      },
    }
    await stage.edit((text) => text)
    await act(stage)
  } finally {
    await host.close()
    await server.close()
    await place.close()
  }
}

/** Device ids that a network's Identity Server holds. */
const heldBy = async (place: Place, side: 0 | 1): Promise<readonly string[]> => {
  const { url, apiKey, application } = place.simulator.networks[side]
  const answer = await fetch(`${url}/api/v3/applications/${application}/devices?limit=1000`, {
    headers: { authorization: `Bearer ${apiKey}` },
  })
  const { end_devices: devices = [] } = (await answer.json()) as {
    readonly end_devices?: readonly { readonly ids: { readonly device_id: string } }[]
  }
  return devices.map(({ ids }) => ids.device_id).filter((id) => IDS.some((each) => each === id))
}

/** Once they were heard, the job of the night leaves them on the target alone. */
const finishAtNight = async (place: Place, hear: Stage['hear'], run: Stage['runJob']): Promise<void> => {
  await hear()
  const night = await run('ferry night')
  expect(night.code, night.output).toBe(0)
  expect([await heldBy(place, 0), await heldBy(place, 1)]).toEqual([[], IDS])
}

const rename = async (place: Place): Promise<void> => {
  const { url, apiKey, application } = place.simulator.networks[0]
  const changed = await fetch(`${url}/api/v3/applications/${application}/devices/${IDS[0]}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ end_device: { name: 'Another name' }, field_mask: { paths: ['name'] } }),
  })
  expect(changed.status).toBe(200)
}

/** Nothing was written: both devices are where they were. */
const expectUntouched = async (place: Place): Promise<void> => {
  expect([await heldBy(place, 0), await heldBy(place, 1)]).toEqual([IDS, []])
}

describe('a plan in a pull request', () => {
  it('is previewed in one comment, merged, applied elsewhere by its digest, finished at night, and then done', async () => {
    await onStage(async ({ place, host, run, merge, edit, hear }) => {
      const first = await run('ferry plan', 'move')
      expect([first.code, host.comments.length], first.output).toEqual([0, 1])
      expect(first.summary).toBe(host.comments[0]?.body)
      await edit((text) => text.replace('gateways: moving-now', 'gateways: on-target'))
      const before = host.comments[0]?.body
      expect((await run('ferry plan', 'move')).code).toBe(0)
      expect(host.comments.length).toBe(1)
      expect(host.comments[0]?.body).not.toBe(before)
      merge()
      const applied = await run('ferry apply')
      expect(applied.code, applied.output).toBe(0)
      expect(await heldBy(place, 1)).toEqual(IDS)
      await finishAtNight(place, hear, run)
      const idle = await run('ferry night')
      expect(idle.code, idle.output).toBe(0)
    })
  })

  it('goes the same way by merge requests, on runners that are taken away, of which two never work at once', async () => {
    await onStage(async ({ place, host, runJob, merge, edit, hear }) => {
      expect((await runJob('ferry plan', 'move')).code).toBe(0)
      await edit((text) => text.replace('gateways: moving-now', 'gateways: on-target'))
      const planned = await runJob('ferry plan', 'move')
      expect([planned.code, host.comments.length], planned.output).toEqual([0, 1])
      merge()
      const ends = await Promise.all([runJob('ferry apply'), runJob('ferry apply')])
      const codes = ends.map(({ code }) => code).sort()
      expect(codes[0], ends.map(({ output }) => output).join('\n')).toBe(0)
      expect([5, 6]).toContain(codes[1])
      expect(await heldBy(place, 1)).toEqual(IDS)
      await finishAtNight(place, hear, runJob)
      const late = await runJob('ferry apply')
      expect([late.code, late.output]).toEqual([5, expect.stringContaining('DigestMismatch')])
    }, 'address')
  })

  it('goes the same way with its state committed by the workflows', async () => {
    await onStage(async ({ place, run, merge, hear }) => {
      expect((await run('ferry plan', 'move')).code).toBe(0)
      merge()
      const applied = await run('ferry apply')
      expect(applied.code, applied.output).toBe(0)
      await finishAtNight(place, hear, run)
      const idle = await run('ferry night')
      expect(idle.code, idle.output).toBe(0)
    }, 'repository')
  })

  it('is not applied when it was changed after the approval', async () => {
    await onStage(async ({ place, run, merge, edit }) => {
      expect((await run('ferry plan', 'move')).code).toBe(0)
      await edit((text) => text.replace('deleteSource: after-heard', 'deleteSource: never'))
      merge()
      const ended = await run('ferry apply')
      expect([ended.code, ended.failed], ended.output).toEqual([5, 'Apply'])
      expect(ended.output).toContain('DigestMismatch')
      await expectUntouched(place)
    })
  })

  it('is not applied when a network was changed after the approval', async () => {
    await onStage(async ({ place, run, merge }) => {
      expect((await run('ferry plan', 'move')).code).toBe(0)
      merge()
      await rename(place)
      const ended = await run('ferry apply')
      expect([ended.code, ended.failed], ended.output).toEqual([5, 'Apply'])
      await expectUntouched(place)
    })
  })

  it('is applied once by two merges at once, whose state is the same', async () => {
    await onStage(async ({ place, run, merge }) => {
      expect((await run('ferry plan', 'move')).code).toBe(0)
      merge()
      const ends = await Promise.all([run('ferry apply'), run('ferry apply')])
      const codes = ends.map(({ code }) => code).sort()
      // The other found the lock, or a state that had moved.
      expect(codes[0], ends.map(({ output }) => output).join('\n')).toBe(0)
      expect([5, 6]).toContain(codes[1])
      expect(await heldBy(place, 1)).toEqual(IDS)
      const again = await run('ferry apply')
      expect([again.code, again.failed], again.output).toEqual([5, 'Apply'])
    })
  })

  it('is not applied without a pull request that was approved, nor where the escrow goes with the runner', async () => {
    await onStage(async ({ place, host, run, merge, edit }) => {
      merge()
      const ended = await run('ferry apply')
      expect([ended.code, ended.failed]).toEqual([1, 'Approved digest'])
      await edit((text) => text.replace(', durable: true', ''))
      expect((await run('ferry plan', 'move')).code).toBe(0)
      expect(host.comments.length).toBe(1)
      merge()
      const refused = await run('ferry apply')
      expect([refused.code, refused.output]).toEqual([4, expect.stringContaining('EscrowNotDurable')])
      await expectUntouched(place)
    })
  })
})
