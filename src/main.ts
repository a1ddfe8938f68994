import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerUnavailable } from './api/unavailable.js'
import { compose } from './compose.js'
import { ConfigError, ownAddress, readConfig, type Config } from './config.js'
import { systemClock } from './platform/clock.js'
import { openErrorReports } from './platform/error-reports.js'
import { AppError } from './platform/errors.js'
import { makeLog, type Log } from './platform/log.js'
import { openProduction } from './production.js'

/** A stop that takes longer than this is cut off; what is due is taken up at the next start anyway. */
const STOP_WITHIN_MS = 10_000

const run = async (): Promise<void> => {
  if (existsSync('.env')) process.loadEnvFile('.env')
  const config = readConfig(process.env)
  const log = makeLog(config.LOG_LEVEL)
  const undo: (() => Promise<void>)[] = []

  // The port first: a taken one is said before anything else is touched.
  const server = createServer(
    { requestTimeout: REQUEST_WITHIN_MS, headersTimeout: HEADERS_WITHIN_MS, keepAliveTimeout: IDLE_MS },
    answerUnavailable,
  )
  const port = await listen(server, config)
  undo.push(() => closed(server))

  const reports = await openErrorReports(config)
  undo.push(reports.close)
  const opened = await openProduction(config, log)
  undo.push(opened.close)
  const app = compose({ ...opened, config, port, clock: systemClock, log, report: reports.report })
  undo.push(() => app.stop(server))
  const { setupPath } = await app.start(server)

  watch(log, undo, opened.failed)
  const address = ownAddress(config.HOST, port)
  greet(config, address, setupPath)
}

/** A request that has not arrived whole by then is cut off: fifty megabytes over a slow line take minutes, a head does not. */
const REQUEST_WITHIN_MS = 5 * 60_000
const HEADERS_WITHIN_MS = 30_000
/**
 * Longer than a load balancer keeps an idle connection (most: 60 s). Whoever closes first must be the one who sends: else a request is
 * on its way into a connection that is being closed, and its sender cannot know whether to repeat it.
 */
const IDLE_MS = 65_000

/** Where `npm run ask` looks when nothing else is said. */
const DEFAULT_ADDRESS = 'http://127.0.0.1:3000'

const listen = (server: Server, { HOST, PORT }: Config): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason =
        cause.code === 'EADDRINUSE'
          ? `PORT: ${PORT} on ${HOST} is in use. Stop what listens there, or set PORT to another one.`
          : cause.code === 'EACCES'
            ? `PORT: ${PORT} may not be opened by this user. Set PORT to 1024 or higher.`
            : `HOST: ${HOST} is not an address of this machine that can be listened on.`
      reject(new ConfigError(reason, { cause }))
    })
    server.listen(PORT, HOST, () => resolve((server.address() as AddressInfo).port))
  })

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

/** Last opened, first closed. */
const stopAll = async (undo: readonly (() => Promise<void>)[]): Promise<void> => {
  for (const step of [...undo].reverse()) await step()
}

const watch = (log: Log, undo: readonly (() => Promise<void>)[], storeFailed: Promise<Error>): void => {
  let stopping = false
  const stop = (code: number) => {
    if (stopping) return
    stopping = true
    setTimeout(() => process.exit(code || 1), STOP_WITHIN_MS).unref()
    stopAll(undo).then(
      () => process.exit(code),
      (err: unknown) => {
        log.error({ err }, 'stop failed')
        process.exit(1)
      },
    )
  }
  process.once('SIGINT', () => stop(0))
  process.once('SIGTERM', () => stop(0))
  // Nothing may be half alive: whoever watches the process starts it again, and what is due is on disk.
  void storeFailed.then((err) => {
    if (stopping) return
    log.fatal({ err }, 'the embedded store stopped')
    stop(1)
  })
  process.on('unhandledRejection', (err) => log.error({ err }, 'unhandled rejection'))
  process.on('uncaughtException', (err) => {
    log.fatal({ err }, 'uncaught exception')
    stop(1)
  })
}

const greet = (config: Config, address: string, setupPath: string | null): void => {
  const lines = [
    `Helpdesk ready at ${address}`,
    '',
    `  API          ${address}/docs`,
    `  Health       ${address}/health/deep`,
    `  Data         ${config.MONGODB_URI ? 'MongoDB' : config.DATA_DIR}`,
    `  Try it       npm run ask -- ${address === DEFAULT_ADDRESS ? '' : `--url ${address} `}"What happens to a message when the process is killed?"`,
    ...(setupPath
      ? ['', `  First owner  ${config.PUBLIC_URL ?? address}${setupPath}`, '               (works once, for 24 hours)']
      : []),
    '',
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

run().catch((error: unknown) => {
  const known = error instanceof ConfigError || error instanceof AppError
  const reason = known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`Helpdesk did not start.\n${reason}\n`)
  process.exit(1)
})
