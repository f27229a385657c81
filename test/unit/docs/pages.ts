import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** Folder of the package. */
export const root = resolve(import.meta.dirname, '../../..')

/** The Markdown files that people read, relative to the package. */
export const pages: readonly string[] = ['.', 'docs'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
)

export const textOf = (page: string): string => readFileSync(join(root, page), 'utf8')

const FENCE = /^( *)```(\w*)\n([\s\S]*?)^\1```/gm

/** Blocks of code in one language, without their indentation. */
export const blocksOf = (text: string, language: string): readonly string[] =>
  [...text.matchAll(FENCE)]
    .filter((match) => match[2] === language)
    .map(([, indent = '', , body = '']) => body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))

const withoutCode = (text: string): string => text.replaceAll(FENCE, '').replaceAll(/`[^`\n]*`/g, '')

/** Inline code. */
export const inlineOf = (text: string): readonly string[] =>
  [...text.replaceAll(FENCE, '').matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '')

/** Anchors of headings, as forges make them. */
const anchorsOf = (text: string): ReadonlySet<string> => {
  const anchors = new Set<string>()
  for (const [, heading = ''] of text.replaceAll(FENCE, '').matchAll(/^#{1,6} (.+)$/gm)) {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
    let unique = anchor
    for (let again = 1; anchors.has(unique); again += 1) unique = `${anchor}-${again}`
    anchors.add(unique)
  }
  return anchors
}

/** Relative links of a page that lead nowhere: to no file, or to no heading. */
export const brokenLinks = (page: string, text = textOf(page)): readonly string[] => {
  // Links of which the text is code keep their target.
  const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '')
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false
    const [path = '', anchor] = link.split('#')
    const file = path === '' ? join(root, page) : resolve(root, dirname(page), path)
    if (!existsSync(file)) return true
    return anchor !== undefined && !anchorsOf(readFileSync(file, 'utf8')).has(anchor)
  })
}

/** The cells of the table rows of a text. */
export const rowsOf = (text: string): readonly (readonly string[])[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[-: |]+\|$/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )

/** A text from one heading to the next of the same level. */
export const sectionOf = (text: string, heading: string): string => {
  const start = text.indexOf(`\n${heading}\n`)
  if (start < 0) throw new Error(`there is no heading ${heading}`)
  const level = /^#+/.exec(heading)?.[0] ?? '#'
  const rest = text.slice(start + heading.length + 2)
  const end = rest.search(new RegExp(`^#{1,${level.length}} `, 'm'))
  return end < 0 ? rest : rest.slice(0, end)
}
