/** Text that others chose (names, ids, scripts, answers of servers), made harmless for where it is shown. */

/** Everything that moves a cursor, turns the direction of text, or can't be seen; a blank is the only space left. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu
/** A zero-width joiner between pictographs is part of an emoji. */
const JOINED = /(?<=\p{Extended_Pictographic}|\p{Emoji_Modifier}|\uFE0F)\u200D(?=\p{Extended_Pictographic})/gu
const JOINER_PLACE = '\uFFFC'
const STACKED = /(\p{M}{4})\p{M}+/gu
/** As long as an AES-128 key in hex, or longer: never shown, wherever it comes from. */
const KEY_LIKE = /(?<![0-9A-Za-z])[0-9A-Fa-f]{32,}(?![0-9A-Za-z])/g

/** The text with whatever is as long as a key replaced. */
export const withoutKeyForms = (text: string): string => text.replace(KEY_LIKE, '(hex, not shown)')

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

const visible = (character: string): string => {
  const named = NAMED[character]
  if (named !== undefined) return named
  const code = character.codePointAt(0) ?? 0
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/**
 * One line of harmless text: control characters, terminal escapes, bidirectional controls and invisible
 * characters become `\u001b` and the like; what is as long as a key is replaced.
 */
export const harmless = (text: string): string =>
  text
    .replaceAll(JOINER_PLACE, '\\ufffc')
    .replace(JOINED, JOINER_PLACE)
    .replace(UNSEEN, visible)
    .replaceAll(JOINER_PLACE, '\u200D')
    .replace(STACKED, '$1')
    .replace(KEY_LIKE, '(hex, not shown)')

/** Lines of harmless text; tabs become two blanks. */
export const harmlessLines = (text: string): readonly string[] =>
  text
    .replace(/\r\n?/g, '\n')
    .split('\n')
    .map((line) => harmless(line.replaceAll('\t', '  ')))

/** In double quotes where it is more than one plain word, so that its ends can be seen. */
export const quoted = (text: string): string =>
  /^[A-Za-z0-9_.:/+-]+$/.test(text) ? harmless(text) : `"${harmless(text.replace(/["\\]/g, '\\$&'))}"`

/** Inline code of GitHub Markdown, also within a table: no markup, HTML, link or mention works in it. */
export const markdownCode = (text: string): string => {
  const safe = harmless(text).replaceAll('|', '\\|')
  if (safe.trim() === '') return '` `'
  const longest = Math.max(0, ...Array.from(safe.matchAll(/`+/g), (run) => run[0].length))
  const fence = '`'.repeat(longest + 1)
  const room = safe.startsWith('`') || safe.endsWith('`') || safe.startsWith(' ') ? ' ' : ''
  return `${fence}${room}${safe}${room}${fence}`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** Running text of GitHub Markdown: shown as it is, without markup, HTML, links, mentions or references. */
export const markdownText = (text: string): string =>
  harmless(text)
    .replace(/[&<>]/g, (character) => ENTITIES[character] ?? character)
    .replace(/[\\`*_{}[\]|~]/g, '\\$&')
    .replace(/^([#+=-])/, '\\$1')
    .replace(/^(\d+)([.)])/, '$1\\$2')
    .replace(/[@#](?=[\w-])/g, '$&<!-- -->')
    .replace(/:(?=\/\/)/g, ':<!-- -->')
    .replace(/\bwww\./gi, 'www<!-- -->.')

/** Text within an HTML element of GitHub Markdown: neither markup nor mentions. */
export const htmlText = (text: string): string =>
  harmless(text)
    .replace(/[&<>]/g, (character) => ENTITIES[character] ?? character)
    .replace(/[@#](?=[\w-])/g, '$&<!-- -->')
    .replace(/:(?=\/\/)/g, ':<!-- -->')

/** A fenced block of Markdown that its lines can't end. */
export const markdownFence = (lines: readonly string[], language: string): readonly string[] => {
  const longest = Math.max(
    2,
    ...lines.flatMap((line) => Array.from(line.matchAll(/`+/g), (run) => run[0].length)),
  )
  const fence = '`'.repeat(longest + 1)
  return [`${fence}${language}`, ...lines, fence]
}

/** A cell of a CSV file: quoted where needed, and never a formula in a spreadsheet. */
export const csvCell = (text: string): string => {
  const safe = harmless(text)
  const inert = /^\s*[=+\-@]/.test(safe) ? `'${safe}` : safe
  return /[",;]/.test(inert) || inert !== inert.trim() ? `"${inert.replaceAll('"', '""')}"` : inert
}

/** A word of a command line that can be copied to a POSIX shell. */
export const shellWord = (text: string): string => {
  const safe = harmless(text)
  return /^[\w./:@%+,-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", "'\\''")}'`
}

/** JSON in which invisible and bidirectional characters are written as `\u` escapes: the same value, safe to print. */
export const harmlessJson = (value: unknown): string =>
  JSON.stringify(value, null, 2).replace(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
