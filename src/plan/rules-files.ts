import { isBech32 } from './bech32.ts'
import { error, warning } from './finding.ts'
import { HTTP_PLACES, placeAt } from './http-places.ts'
import type { Path } from './located.ts'
import { stateFileOf } from './normalise.ts'
import type { Draft } from './plan-document.ts'
import type { Rule, RuleContext } from './rule.ts'
import { shown } from './shown.ts'

/** In the documentation of age, in our schema and in many copied files: a plan with it would give keys away. */
const EXAMPLE_RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'

const recipients: Rule = {
  codes: ['LiteralSecret', 'InvalidRecipient', 'ExampleRecipient', 'DuplicateRecipient'],
  because:
    'an escrow that nobody can decrypt is no safety net, and an identity in a plan is a secret in a plan',
  check: ({ draft }) => {
    const seen = new Set<string>()
    return (draft.escrow?.recipients ?? []).flatMap((recipient, index) => {
      if (recipient === undefined) return []
      const path = ['escrow', 'recipients', index]
      if (/age-secret|private|-----/i.test(recipient)) {
        const message = 'the recipient is an age identity, which is secret'
        const hint =
          'write its public key (age1...), and make a new identity: this one is in a file that others read'
        return [error({ code: 'LiteralSecret', message, hint, path })]
      }
      if (!recipient.startsWith('age1') || !isBech32(recipient)) {
        const message = `recipient ${index + 1} is not an age public key${recipient.startsWith('age1') ? ': its checksum is wrong' : ''}`
        const hint = 'write what ferry escrow keygen prints, age1 and more characters, complete'
        return [error({ code: 'InvalidRecipient', message, hint, path })]
      }
      if (recipient === EXAMPLE_RECIPIENT) {
        const message = `recipient ${index + 1} is the public key of the examples, which a stranger can decrypt for`
        const hint = 'write your own, from: ferry escrow keygen'
        return [error({ code: 'ExampleRecipient', message, hint, path })]
      }
      if (!seen.has(recipient)) {
        seen.add(recipient)
        return []
      }
      const message = `recipient ${index + 1} is named twice`
      return [warning({ code: 'DuplicateRecipient', message, hint: 'remove one of them', path })]
    })
  },
}

interface NamedPath {
  readonly path: Path
  readonly text: string
}

const filesOf = ({ draft }: RuleContext): readonly NamedPath[] => {
  const ends = (['source', 'target'] as const).flatMap((end) => [
    { path: [end, 'caFile'], text: draft[end]?.caFile },
    { path: [end, 'apiKey', 'file'], text: draft[end]?.apiKey?.file },
  ])
  const source = [
    { path: ['source', 'accessKey', 'file'], text: draft.source?.accessKey?.file },
    { path: ['source', 'path'], text: draft.source?.path },
  ]
  const lists = (['include', 'exclude', 'overrides'] as const).flatMap((list) =>
    (draft.devices?.[list] ?? []).map((selector, index) => ({
      path: ['devices', list, index, 'idsFile'],
      text: selector?.idsFile,
    })),
  )
  const own = [
    { path: ['digestKey', 'file'], text: draft.digestKey?.file },
    { path: ['escrow', 'path'], text: draft.escrow?.path },
    statePathOf(draft),
  ]
  const places = HTTP_PLACES.flatMap((end) => [
    { path: [...end, 'caFile'], text: placeAt(draft, end)?.caFile },
    { path: [...end, 'password', 'file'], text: placeAt(draft, end)?.password?.file },
  ])
  return [...ends, ...source, ...lists, ...own, ...places].flatMap(({ path, text }) =>
    text === undefined ? [] : [{ path, text }],
  )
}

/** The state file, as far as the plan writes one, and where it does. */
const statePathOf = ({ state }: Draft): { readonly path: Path; readonly text: string | undefined } =>
  typeof state === 'object' ? { path: ['state', 'file'], text: state.file } : { path: ['state'], text: state }

/** References to secrets are not shown: a key may stand where a path should. */
const labelOf = ({ path, text }: NamedPath): string =>
  ['apiKey', 'accessKey', 'digestKey', 'password'].some((name) => path.includes(name))
    ? 'the path'
    : shown(text)

const homes: Rule = {
  codes: ['InvalidPath'],
  because: 'only a shell knows ~, and paths of a plan are relative to it',
  check: (context) =>
    filesOf(context)
      .filter(({ text }) => text.startsWith('~'))
      .map((named) => {
        const hint = 'write a path relative to the plan, or an absolute one'
        return error({
          code: 'InvalidPath',
          message: `${labelOf(named)} begins with ~`,
          hint,
          path: named.path,
        })
      }),
}

/** API keys, age identities, and 32 hex digits, under the name of a variable or file. */
const CREDENTIAL = /NNSXS|ttn-account|AGE-SECRET|^[0-9A-Fa-f]{32,}$/i

const secretsAsNames: Rule = {
  codes: ['LiteralSecret'],
  because: 'a key that stands where the name of a variable or file should is in a file that others read',
  check: ({ draft }) => {
    const references = [
      [['source', 'apiKey'], draft.source?.apiKey],
      [['source', 'accessKey'], draft.source?.accessKey],
      [['target', 'apiKey'], draft.target?.apiKey],
      [['digestKey'], draft.digestKey],
      ...HTTP_PLACES.map((at) => [[...at, 'password'], placeAt(draft, at)?.password] as const),
    ] as const
    return references.flatMap(([path, reference]) =>
      (['env', 'file'] as const).flatMap((name) => {
        if (!CREDENTIAL.test(reference?.[name] ?? '')) return []
        const message = `"${path.at(-1)}" is written into the plan, and a plan holds no secret`
        const hint = 'write { env: NAME_OF_A_VARIABLE } or { file: path }, and revoke the key'
        return [error({ code: 'LiteralSecret', message, hint, path: [...path, name] })]
      }),
    )
  },
}

/** The state file or the escrow's folder; what else stands below these fields is read. */
const isWritten = (path: Path): boolean =>
  path.join('.') === 'escrow.path' || (path[0] === 'state' && path[1] !== 'http')

const collisions: Rule = {
  codes: ['PathInUse'],
  because: 'state and escrow are written: what they overwrite is lost',
  check: (context) => {
    const { draft, absolute, file, written } = context
    const name = draft.metadata?.name
    const own = statePathOf(draft)
    const state = own.text ?? (name === undefined ? undefined : stateFileOf(undefined, name))
    const read = new Map([[file, 'the plan itself']])
    for (const { path, text } of filesOf(context)) {
      if (!isWritten(path)) read.set(absolute(text), `what ${path.join('.')} names`)
    }
    const findings = []
    for (const { path, text } of [own, { path: ['escrow', 'path'], text: draft.escrow?.path }]) {
      if (text === undefined || !written(path)) continue
      const other = read.get(absolute(text))
      const same = path[0] === 'escrow' && state !== undefined && absolute(state) === absolute(text)
      const used = same ? 'the state file' : other
      if (used === undefined) continue
      const message = `${shown(text)} is ${used}`
      findings.push(error({ code: 'PathInUse', message, hint: 'choose another path', path }))
    }
    return findings
  },
}

export const FILE_RULES: readonly Rule[] = [recipients, homes, secretsAsNames, collisions]
