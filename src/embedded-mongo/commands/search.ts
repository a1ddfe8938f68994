import type { Command } from './call.js'
export const SEARCH: Record<string, Command> = {}
