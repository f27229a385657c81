import type { YAMLParseError, YAMLWarning } from 'yaml'
import { error, type Finding } from './finding.ts'

/** Of the parser's own codes. Its messages are not used, because they quote the file, secrets included. */
type YamlCode = YAMLParseError['code']

const SENTENCES: Readonly<Record<YamlCode, readonly [message: string, hint: string]>> = {
  ALIAS_PROPS: ['an alias can have neither anchor nor tag', 'remove what stands before the *'],
  BAD_ALIAS: [
    'the name of an alias or anchor is not complete',
    'write a name of letters and digits after * or &',
  ],
  BAD_COLLECTION_TYPE: ['the tag does not fit the value', 'remove the tag'],
  BAD_DIRECTIVE: ['the directive is not known', 'remove the line that begins with %'],
  BAD_DQ_ESCAPE: ['a double-quoted text holds an unknown escape', "write \\\\ for a backslash, or use '...'"],
  BAD_INDENT: ['the indentation does not fit the lines above', 'align it with the other fields of its block'],
  BAD_PROP_ORDER: ['anchor or tag stands in the wrong place', 'write it right before the value'],
  BAD_SCALAR_START: ['a value cannot begin with this character', 'quote the value'],
  BLOCK_AS_IMPLICIT_KEY: [
    'a mapping stands where one line is expected',
    'put it on lines of its own, indented',
  ],
  BLOCK_IN_FLOW: ['block style is not possible between brackets', 'use commas, or remove the brackets'],
  DUPLICATE_KEY: ['a field is given twice', 'keep one of them'],
  IMPOSSIBLE: ['the text cannot be read as YAML', 'compare it with an example in plans/'],
  KEY_OVER_1024_CHARS: ['a key is longer than 1024 characters', 'look for a missing quote above'],
  MISSING_CHAR: ['a character is missing', 'look for a missing quote, bracket, comma or colon'],
  MULTILINE_IMPLICIT_KEY: ['a key runs over more than one line', 'look for a missing quote or colon'],
  MULTIPLE_ANCHORS: ['a value has more than one anchor', 'keep one'],
  MULTIPLE_DOCS: ['the file holds more than one document', 'remove what follows ---; a file holds one plan'],
  MULTIPLE_TAGS: ['a value has more than one tag', 'remove the tags'],
  NON_STRING_KEY: ['a key is not text', 'quote it'],
  RESOURCE_EXHAUSTION: ['the file expands to more than can be read', 'write values out'],
  TAB_AS_INDENT: ['a tab is used for indentation', 'indent with blanks'],
  TAG_RESOLVE_FAILED: ['the value has a tag that is not known', 'remove the tag (what begins with !)'],
  UNEXPECTED_TOKEN: [
    'something stands where YAML expects nothing',
    'look for a missing quote, or wrong indentation above',
  ],
}

const CODES: Readonly<Partial<Record<YamlCode, string>>> = {
  DUPLICATE_KEY: 'DuplicateKey',
  MULTIPLE_DOCS: 'MultipleDocuments',
  TAG_RESOLVE_FAILED: 'CustomTag',
  RESOURCE_EXHAUSTION: 'TooManyAliases',
}

/** A parser's complaint in our words, which quote nothing of the file. */
export const yamlFinding = (complaint: YAMLParseError | YAMLWarning): Finding => {
  const [message, hint] = SENTENCES[complaint.code] ?? SENTENCES.IMPOSSIBLE
  return error({ code: CODES[complaint.code] ?? 'YamlSyntax', message, hint, offset: complaint.pos[0] })
}
