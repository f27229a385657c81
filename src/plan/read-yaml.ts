import { Composer, type CST, Lexer, Parser } from 'yaml'
import { error, type Finding } from './finding.ts'
import type { Located } from './located.ts'
import { type Place, placesIn } from './places.ts'
import { yamlFinding } from './yaml-errors.ts'
import { checkLimits, DEEPEST, tooDeep } from './yaml-limits.ts'
import { locate } from './yaml-tree.ts'

export interface YamlText {
  /** Absent where the text is no YAML, or not one document. */
  readonly root?: Located
  readonly findings: readonly Finding[]
  /** Line and column, from 1, of an offset. */
  readonly placeOf: (offset: number) => Place
}

/**
 * Reads one YAML 1.2 document with positions. Never throws, and quotes nothing of the text in a finding.
 * Values are not yet converted: a scalar keeps how it was written, because `70E5000000000001` and `007`
 * are numbers to YAML and ids to people.
 */
export const readYaml = (text: string): YamlText => {
  const placeOf = placesIn(text)
  const tokens: CST.Token[] = []
  const parser = new Parser()
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token)
    const deep = parser.stack.length > DEEPEST ? parser.stack.filter(isCollection)[DEEPEST] : undefined
    if (deep !== undefined) return { findings: [tooDeep(deep.offset)], placeOf }
  }
  for (const token of parser.end()) tokens.push(token)
  const limits = checkLimits(tokens)
  if (limits.length > 0) return { findings: limits, placeOf }
  const composer = new Composer({
    prettyErrors: false,
    uniqueKeys: false,
    version: '1.2',
    logLevel: 'silent',
  })
  const documents = [...composer.compose(tokens, true, text.length)]
  const complaints = documents.flatMap((document) => [...document.errors, ...document.warnings])
  // several complaints at one place are one mistake
  const places = new Map(complaints.toReversed().map((complaint) => [complaint.pos[0], complaint]))
  const findings = [...places.values()].map(yamlFinding)
  const [document, second] = documents
  if (second !== undefined) findings.push(multipleDocuments(second.range[0]))
  if (findings.length > 0) return { findings, placeOf }
  if (document === undefined || document.contents === null) return { findings: [empty], placeOf }
  const located = locate(document.contents)
  return { root: located.root, findings: located.findings, placeOf }
}

const isCollection = (token: CST.Token) => 'items' in token

const empty = error({
  code: 'EmptyPlan',
  message: 'the plan is empty',
  hint: 'write one with ferry init, or start from plans/minimal.yaml',
  offset: 0,
})

const multipleDocuments = (offset: number): Finding =>
  error({
    code: 'MultipleDocuments',
    message: 'the file holds more than one document',
    hint: 'remove what follows ---; a file holds one plan',
    offset,
  })
