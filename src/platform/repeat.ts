import type { Log } from './log.js'

/** Runs `work` again and again with a pause in between, never twice at once. `stop` waits for the run that is under way. */
export const repeat = (pauseMs: number, work: () => Promise<void>, log: Log) => {
  let timer: NodeJS.Timeout | undefined
  let running = Promise.resolve()
  let stopped = true
  const run = async () => {
    await work().catch((err: unknown) => log.error({ err }, 'sweep failed'))
    plan()
  }
  const plan = () => {
    if (stopped) return
    timer = setTimeout(() => {
      running = run()
    }, pauseMs)
  }
  return {
    start: () => {
      stopped = false
      plan()
    },
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}
