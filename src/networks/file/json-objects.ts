import { FerryError } from '../../domain/errors.ts'
import type { Bytes } from './bytes.ts'

/** Where an object lies in a file of objects. */
export interface ObjectAt {
  readonly offset: number
  readonly length: number
  /** From 1. */
  readonly line: number
  readonly bytes: Buffer
}

/** No device is a hundredth of it. */
const LARGEST = 4 << 20
const DEEPEST = 64

const [QUOTE, ESCAPE, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST, COMMA, NEWLINE] = Buffer.from('"\\{}[],\n')

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

/** What may come next between objects. */
type Between =
  | 'begin'
  /** A `[`, or a comma in its list: an object has to follow, after `[` the end too. */
  | 'list'
  | 'comma'
  /** After an object of the list. */
  | 'item'
  /** After an object of a sequence. */
  | 'next'
  | 'end'

/**
 * The objects of a file, in their order: one a line, one after another with nothing or spaces in between, or in one list.
 * Only their ends are found here; what is in them is parsed where they are read.
 * @throws FerryError kind `plan-invalid`, `FileBroken`, with line and column, where it is cut off or anything else
 */
export async function* jsonObjects(file: Bytes, name: string): AsyncGenerator<ObjectAt> {
  let at = file.start
  let line = 1
  let lineStart = at
  let between = 'begin' as Between
  let depth = 0
  let isText = false
  let isEscaped = false
  let offset = 0
  let firstLine = 1
  let parts: Buffer[] = []
  const broken = (what: string): FerryError =>
    new FerryError('plan-invalid', 'FileBroken', `${name}:${line}:${at - lineStart + 1} ${what}`, {
      hint: 'devices.json holds one JSON object a device, one a line, one after another or in one list',
    })
  for await (const chunk of file.chunks()) {
    let from = 0
    for (let index = 0; index < chunk.length; index += 1, at += 1) {
      const byte = chunk[index] as number
      if (depth > 0) {
        if (isText) {
          if (isEscaped) isEscaped = false
          else if (byte === ESCAPE) isEscaped = true
          else if (byte === QUOTE) isText = false
        } else if (byte === QUOTE) isText = true
        else if (byte === OPEN || byte === OPEN_LIST) {
          depth += 1
          if (depth > DEEPEST) throw broken(`is nested more than ${DEEPEST} levels deep`)
        } else if (byte === CLOSE || byte === CLOSE_LIST) {
          depth -= 1
          if (depth === 0) {
            parts.push(chunk.subarray(from, index + 1))
            const bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
            parts = []
            yield { offset, length: bytes.length, line: firstLine, bytes }
            between = between === 'list' || between === 'comma' ? 'item' : 'next'
          }
        }
      } else if (byte === OPEN && between !== 'item' && between !== 'end') {
        depth = 1
        offset = at
        firstLine = line
        from = index
      } else if (byte === OPEN_LIST && between === 'begin') between = 'list'
      else if (byte === COMMA && between === 'item') between = 'comma'
      else if (byte === CLOSE_LIST && (between === 'item' || between === 'list')) between = 'end'
      else if (!isSpace(byte)) throw broken('is where the JSON object of a device, or the end, should be')
      if (byte === NEWLINE) {
        line += 1
        lineStart = at + 1
      }
    }
    if (depth > 0) {
      parts.push(chunk.subarray(from))
      if (at - offset > LARGEST) throw broken(`has an object of more than ${LARGEST >> 20} MiB`)
    }
  }
  if (depth > 0) throw broken(`ends within the object that begins in line ${firstLine}`)
  if (between !== 'begin' && between !== 'next' && between !== 'end') throw broken('ends within the list')
}
