import { createContext, Script } from 'node:vm'
import { CommandError } from './errors.js'

/**
 * JavaScript's regular expressions can backtrack for longer than the universe lasts, and nothing inside the language stops
 * them. Node's vm module can: it ends a script that runs too long, and everything the script calls.
 */
const MOST_MS = 1_000

const scope: { work: () => unknown } = { work: () => null }
const context = createContext(scope)
const script = new Script('work()')
let watched = false

/**
 * Runs work that changes nothing outside itself; throws MaxTimeMSExpired when it takes too long. Watching costs about as much
 * as reading a hundred documents, so a whole scan is watched at once; what is called inside it costs nothing more.
 */
export const bounded = <T>(work: () => T): T => {
  if (watched) return work()
  watched = true
  scope.work = work
  try {
    return script.runInContext(context, { timeout: MOST_MS }) as T
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
    throw new CommandError('MaxTimeMSExpired', `a regular expression took longer than ${MOST_MS} ms`)
  } finally {
    watched = false
  }
}
