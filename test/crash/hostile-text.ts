const ESC = '\u001b'

/** Names that act in a terminal, in Markdown, in HTML, in a spreadsheet, or in a reader's eye. */
export const HOSTILE_TEXTS: readonly string[] = [
  `${ESC}[2J${ESC}[1;1Hgone`,
  `${ESC}]0;title\u0007`,
  '\u009b31mred',
  'a\rb',
  'a\nb\n\n# heading',
  'a\u2028b\u0085c',
  'a | b | c |',
  '```\n<b>out</b>\n```',
  '` `` ```',
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '</summary></details>',
  '[link](https://example.com)',
  '@everyone #1',
  '=cmd()',
  '+1+1',
  '-1+1',
  '@SUM(1)',
  '\t=1',
  '$(id) `id`',
  '\u202egnp.exe',
  '__proto__',
]
