/** The scripts are plain JavaScript, because they run before anything is installed or built. */
declare module '*/scripts/bench/kill.mjs' {
  export const killRounds: (options: { rounds: number; visitors?: number }) => Promise<{
    acknowledged: number
    lost: number
    doubled: number
    outOfOrder: number
    unanswered: number
    untrue: number
  }>
}

declare module '*/scripts/configuration.mjs' {
  import type { z } from 'zod'
  export const withTable: (environment: z.ZodType, readme: string) => string
  export const envExample: (environment: z.ZodType) => string
}

declare module '*/scripts/chromium.mjs' {
  import type { Browser } from 'playwright-core'
  export const findChromium: () => string | null
  export const launchChromium: (executablePath: string) => Promise<Browser>
}

declare module '*/scripts/bench/store-kill.mjs' {
  export function killStoreRounds(options: { rounds: number; writers?: number }): Promise<{
    inserted: number
    transferred: number
    lost: number
    torn: number
  }>
}
