import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'

interface Step {
  readonly name?: string
  readonly uses?: string
  readonly run?: string
  readonly if?: string
  readonly env?: Readonly<Record<string, string>>
}

interface Workflow {
  readonly name: string
  readonly env?: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>
}

const blocks = [...readFileSync(resolve('docs/ci.md'), 'utf8').matchAll(/^```yaml\n(.*?)^```$/gms)]
const workflows = blocks
  .map(([, text = '']) => parse(text) as Partial<Workflow>)
  .filter((block): block is Workflow => block.jobs !== undefined)

/** Steps that the page has a reader add to workflows, by name. */
const stepsToAdd = blocks
  .map(([, text = '']) => parse(text) as unknown)
  .filter((block): block is readonly Step[] => Array.isArray(block))
  .flat()

export interface Ran {
  /** Exit code of the step that ended it, or 0. */
  readonly code: number
  /** Name of that step. */
  readonly failed: string | undefined
  readonly output: string
  readonly summary: string
}

interface RunContext {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** What stands for `${{ ... }}`. */
  readonly expressions: Readonly<Record<string, string>>
  /** A step that the page has a reader add at the end. */
  readonly added?: string
}

const filled = (text: string, expressions: RunContext['expressions']): string =>
  text.replace(/\$\{\{\s*(.*?)\s*\}\}/g, (_, expression: string) => {
    const value = expressions[expression]
    if (value === undefined) throw new Error(`the test does not know ${expression}`)
    return value
  })

const shell = (
  script: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number; readonly output: string }> =>
  new Promise((done, fail) => {
    const child = spawn('bash', ['-e', '-c', script], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString()
      })
    child.once('error', fail)
    child.once('close', (code) => done({ code: code ?? -1, output }))
  })

/** Runs the shell steps of a workflow of `docs/ci.md` as its runner does; what it `uses` the caller has done. */
export const runWorkflow = async (
  name: string,
  { cwd, env, expressions, added }: RunContext,
): Promise<Ran> => {
  const workflow = workflows.find((each) => each.name === name)
  const [job] = Object.values(workflow?.jobs ?? {})
  if (workflow === undefined || job === undefined) throw new Error(`docs/ci.md has no workflow ${name}`)
  const variables = join(cwd, '..', 'github-env')
  const summary = join(cwd, '..', 'github-summary')
  await Promise.all([writeFile(variables, ''), writeFile(summary, '')])
  let ended: { readonly code: number; readonly name: string | undefined } | undefined
  let output = ''
  const more = stepsToAdd.filter((step) => step.name === added)
  if (more.length === 0 && added !== undefined) throw new Error(`docs/ci.md has no step ${added}`)
  for (const step of [...job.steps, ...more]) {
    if (step.run === undefined || (ended !== undefined && step.if !== 'always()')) continue
    const own = Object.fromEntries(
      Object.entries({ ...workflow.env, ...step.env }).map(([key, value]) => [
        key,
        filled(value, expressions),
      ]),
    )
    const set = Object.fromEntries(
      (await readFile(variables, 'utf8')).split('\n').flatMap((line) => {
        const at = line.indexOf('=')
        return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)]]
      }),
    ) as Record<string, string>
    const all = { ...env, ...set, ...own, CI: 'true', GITHUB_ENV: variables, GITHUB_STEP_SUMMARY: summary }
    const ran = await shell(step.run, cwd, all)
    output += ran.output
    if (ran.code !== 0) ended ??= { code: ran.code, name: step.name }
  }
  return {
    code: ended?.code ?? 0,
    failed: ended?.name,
    output,
    summary: await readFile(summary, 'utf8'),
  }
}

interface GitlabFile {
  readonly variables: Readonly<Record<string, string>>
  readonly [job: string]: { readonly script?: readonly string[] } | unknown
}

const gitlabFile = blocks
  .map(([, text = '']) => parse(text) as Partial<GitlabFile>)
  .find((block): block is GitlabFile => 'stages' in block)

/** Runs a job of the `.gitlab-ci.yml` of `docs/ci.md`: its lines are one script, as its runner has them. */
export const runGitlabJob = async (
  name: string,
  { cwd, env }: Pick<RunContext, 'cwd' | 'env'>,
): Promise<{ readonly code: number; readonly output: string }> => {
  const job = gitlabFile?.[name] as { readonly script?: readonly string[] } | undefined
  if (gitlabFile === undefined || job?.script === undefined) throw new Error(`docs/ci.md has no job ${name}`)
  return shell(job.script.join('\n'), cwd, { ...env, ...gitlabFile.variables, CI: 'true' })
}

/**
 * What of a code host's API the workflows ask for, in the ways of both: comments of one pull request (or merge request), and
 * which one a commit came by.
 */
export interface CodeHost {
  readonly url: string
  readonly comments: { id: number; body: string; user: { login: string }; author: { username: string } }[]
  close(): Promise<void>
}

export const startCodeHost = async (pull: number): Promise<CodeHost> => {
  const comments: CodeHost['comments'] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    request.on('end', () => {
      const path = (request.url ?? '').split('?')[0] ?? ''
      const answer = (status: number, body: unknown): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      }
      const body = text === '' ? '' : (JSON.parse(text) as { readonly body: string }).body
      const { authorization, 'private-token': token } = request.headers
      const list = [`/issues/${pull}/comments`, `/merge_requests/${pull}/notes`]
      const isList = list.some((end) => path.endsWith(end))
      if (authorization !== 'Bearer made-up' && token !== 'made-up') answer(401, {})
      else if (/\/commits\/[^/]+\/(?:pulls|merge_requests)$/.test(path))
        answer(200, [{ number: pull, iid: pull }])
      else if (isList && request.method === 'GET') answer(200, comments)
      else if (isList) {
        // The host refuses what is longer.
        if (body.length > 65_536) return answer(422, {})
        comments.push({
          id: comments.length + 1,
          body,
          user: { login: 'github-actions[bot]' },
          author: { username: 'ferry-bot' },
        })
        answer(201, comments.at(-1))
      } else if (request.method === (token === undefined ? 'PATCH' : 'PUT')) {
        const comment = comments.find(
          ({ id }) => /\/(?:comments|notes)\/(\d+)$/.exec(path)?.[1] === String(id),
        )
        if (comment === undefined) return answer(404, {})
        comment.body = body
        answer(200, comment)
      } else answer(404, {})
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    comments,
    close: () => new Promise((done) => server.close(() => done())),
  }
}
