import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node'

interface Position {
  readonly line: number
  readonly character: number
}

interface Problem {
  readonly message: string
  readonly range: { readonly start: Position }
}

/** The language server for YAML that editors start, as they do: a process that is spoken to over its input and output. */
export interface LanguageServer {
  /** What it says of a text, as if it were the file at this path. */
  problems(path: string, text: string): Promise<readonly Problem[]>
  /** What it shows when the pointer rests on a place of a text that it was given. */
  hover(path: string, at: Position): Promise<string>
  /** What it offers at a place. */
  offers(path: string, at: Position): Promise<readonly string[]>
  close(): Promise<void>
}

const require = createRequire(import.meta.url)
const PACKAGE = require.resolve('yaml-language-server/package.json')
const MAIN = join(dirname(PACKAGE), 'bin', 'yaml-language-server')

/** Nothing is fetched: schemas are files that the text names. */
const SETTINGS = {
  yaml: { schemaStore: { enable: false }, hover: true, completion: true, validate: true },
  http: {},
  '[yaml]': {},
}

export const startLanguageServer = async (): Promise<LanguageServer> => {
  const child = spawn(process.execPath, [MAIN, '--stdio'], { stdio: ['pipe', 'pipe', 'ignore'] })
  const connection = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  )
  const waiting = new Map<string, (problems: readonly Problem[]) => void>()
  connection.onNotification(
    'textDocument/publishDiagnostics',
    ({ uri, diagnostics }: { readonly uri: string; readonly diagnostics: readonly Problem[] }) => {
      waiting.get(uri)?.(diagnostics)
    },
  )
  connection.onRequest(
    'workspace/configuration',
    ({ items }: { readonly items: readonly { readonly section: keyof typeof SETTINGS }[] }) =>
      items.map(({ section }) => SETTINGS[section] ?? {}),
  )
  connection.onRequest('client/registerCapability', () => null)
  connection.listen()
  await connection.sendRequest('initialize', {
    processId: process.pid,
    rootUri: null,
    workspaceFolders: null,
    capabilities: {
      workspace: { configuration: true },
      textDocument: { hover: { contentFormat: ['markdown'] }, publishDiagnostics: {} },
    },
  })
  await connection.sendNotification('initialized', {})
  await connection.sendNotification('workspace/didChangeConfiguration', { settings: SETTINGS })
  const uriOf = (path: string): string => pathToFileURL(path).href
  return {
    problems: async (path, text) => {
      const uri = uriOf(path)
      const told = new Promise<readonly Problem[]>((resolve) => waiting.set(uri, resolve))
      await connection.sendNotification('textDocument/didOpen', {
        textDocument: { uri, languageId: 'yaml', version: 1, text },
      })
      return told
    },
    hover: async (path, position) => {
      const answer: { readonly contents?: { readonly value?: string } } | null = await connection.sendRequest(
        'textDocument/hover',
        { textDocument: { uri: uriOf(path) }, position },
      )
      return answer?.contents?.value ?? ''
    },
    offers: async (path, position) => {
      const answer: { readonly items?: readonly { readonly label: string }[] } | null =
        await connection.sendRequest('textDocument/completion', {
          textDocument: { uri: uriOf(path) },
          position,
        })
      return (answer?.items ?? []).map(({ label }) => label)
    },
    close: async () => {
      connection.dispose()
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.kill()
      await ended
    },
  }
}
