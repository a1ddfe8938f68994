/** The scripts are plain JavaScript, because they run before anything is installed or built. */
declare module '*/scripts/bench/kill.mjs' {
  export const killRounds: (options: { rounds: number; visitors?: number }) => Promise<{
    acknowledged: number
    lost: number
    doubled: number
    outOfOrder: number
    unanswered: number
  }>
}

declare module '*/scripts/configuration.mjs' {
  import type { z } from 'zod'
  export const withTable: (environment: z.ZodType, readme: string) => string
  export const envExample: (environment: z.ZodType) => string
}
