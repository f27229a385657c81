import type { CST } from 'yaml'
import { error, type Finding } from './finding.ts'

/** Levels of lists and mappings within each other; a plan has 6. */
export const DEEPEST = 64
/** Aliases (`*name`) in one plan; more of them serve to blow a document up. */
const MOST_ALIASES = 100

const childrenOf = (token: CST.Token): readonly CST.Token[] => {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value]
  if (!('items' in token)) return []
  const children: CST.Token[] = []
  for (const item of token.items) {
    if (item.key !== undefined && item.key !== null) children.push(item.key)
    if (item.value !== undefined) children.push(item.value)
  }
  return children
}

const offsetOf = (token: CST.Token): number => ('offset' in token ? token.offset : 0)

/**
 * What has to be refused before a document is composed, because composing expands: many aliases, and
 * directives, which would change how values are read. Deep nesting is refused while parsing.
 */
export const checkLimits = (tokens: readonly CST.Token[]): readonly Finding[] => {
  const open: CST.Token[] = tokens.toReversed()
  let aliases = 0
  for (let token = open.pop(); token !== undefined; token = open.pop()) {
    if (token.type === 'directive') return [directive(token)]
    if (token.type === 'alias' && ++aliases > MOST_ALIASES) return [tooManyAliases(token)]
    const children = childrenOf(token)
    for (let index = children.length - 1; index >= 0; index--) {
      const child = children[index]
      if (child !== undefined) open.push(child)
    }
  }
  return []
}

const directive = (token: CST.Token): Finding =>
  error({
    code: 'YamlDirective',
    message: 'a YAML directive changes how the plan is read',
    hint: 'remove the line that begins with %',
    offset: offsetOf(token),
  })

const tooManyAliases = (token: CST.Token): Finding =>
  error({
    code: 'TooManyAliases',
    message: `the plan uses more than ${MOST_ALIASES} aliases`,
    hint: 'write values out, or use selectors and an idsFile',
    offset: offsetOf(token),
  })

export const tooDeep = (offset: number): Finding =>
  error({
    code: 'TooDeep',
    message: `lists and mappings are nested more than ${DEEPEST} levels deep`,
    hint: 'a plan needs 6 levels at most',
    offset,
  })
