/** Examples stand first in every help: most readers need no more. */

const WIDTH = 80
const INDENT = 6

type Example = readonly [command: string, about: string]

/** Each command on a line of its own, with what it does beside it, or under it where the line would be long. */
export const exampleText = (examples: readonly Example[]): string => {
  const column = Math.max(...examples.map(([command]) => command.length)) + 4
  const fits = examples.every(([, about]) => column + about.length <= WIDTH)
  return [
    'Examples:',
    ...examples.flatMap(([command, about]) =>
      fits ? [`  ${command.padEnd(column - 2)}${about}`] : [`  ${command}`, `${' '.repeat(INDENT)}${about}`],
    ),
  ].join('\n')
}
