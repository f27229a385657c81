import type { Command } from '../shell.ts'

export const init: Command = async () => 0
