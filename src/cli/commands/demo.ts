import type { Command } from '../shell.ts'

export const demo: Command<{ readonly keep?: boolean }> = async () => 0
