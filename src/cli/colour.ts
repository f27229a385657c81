import { PLAIN_STYLE, type Style } from '../report/layout.ts'

const code =
  (on: number, off: number) =>
  (text: string): string =>
    text === '' ? text : `\u001b[${on}m${text}\u001b[${off}m`

const COLOURED: Style = {
  bold: code(1, 22),
  red: code(31, 39),
  green: code(32, 39),
  yellow: code(33, 39),
  dim: code(2, 22),
}

export interface ColourChoice {
  readonly isTerminal: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  /** `--no-color` was given. */
  readonly refused: boolean
}

/** Whether a stream is coloured: `--no-color`, FORCE_COLOR, NO_COLOR, TERM=dumb and the terminal, in this order. */
const isColoured = ({ isTerminal, env, refused }: ColourChoice): boolean => {
  if (refused) return false
  const forced = env['FORCE_COLOR']
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false'
  if ((env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') return false
  return isTerminal
}

export const styleFor = (choice: ColourChoice): Style => (isColoured(choice) ? COLOURED : PLAIN_STYLE)
