import { error, type Finding } from './finding.ts'

/** Bytes of a plan; more has ids in it that belong into an `idsFile`. */
export const LARGEST_PLAN = 2 * 1024 * 1024

const BYTE_ORDER_MARK = '\uFEFF'

/** Control characters but tab and line ends, and the marks that make text read otherwise than it is. */
export const UNSEEN = /(?![\t\n\r\u0085])\p{Cc}|[\u202A-\u202E\u2066-\u2069]/u

export interface DecodedText {
  readonly text: string
  readonly findings: readonly Finding[]
}

/**
 * Text of a plan or id file from its bytes: UTF-8, with or without byte order mark. What is not UTF-8, and
 * characters that a reviewer cannot see, are findings.
 */
export const decodeText = (bytes: Uint8Array): DecodedText => {
  const decoded = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  const text = decoded.startsWith(BYTE_ORDER_MARK) ? decoded.slice(1) : decoded
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const finding = error({
      code: 'NotUtf8',
      message: 'the file is not UTF-8 text',
      hint: 'save it as UTF-8',
      offset: Math.max(0, text.indexOf('\uFFFD')),
    })
    return { text, findings: [finding] }
  }
  return { text, findings: unseenCharacters(text) }
}

/** The first character that cannot be seen, as a finding. */
const unseenCharacters = (text: string): readonly Finding[] => {
  const offset = text.search(UNSEEN)
  if (offset < 0) return []
  const code = text.charCodeAt(offset).toString(16).toUpperCase().padStart(4, '0')
  return [
    error({
      code: 'ControlCharacter',
      message: `the file holds the control character U+${code}`,
      hint: 'remove it; a plan is text that people review',
      offset,
    }),
  ]
}
