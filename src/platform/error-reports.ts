import type { ErrorEvent } from '@sentry/node'

export type ErrorReports = {
  report: (error: unknown, context: { requestId: string }) => void
  /** Waits a moment for what is on its way. */
  close: () => Promise<void>
}

const CLOSE_WITHIN_MS = 2_000

/**
 * Errors go to Sentry as a kind, a stack and a request id, nothing else. Sentry collects bodies, addresses, queries and more
 * unless told otherwise; all of it is off, nothing is instrumented, and what still leaves is built from a list of what may.
 * The message stays behind too: a library's message may quote what it choked on.
 */
export const openErrorReports = async ({
  SENTRY_DSN: dsn,
}: {
  SENTRY_DSN?: string | undefined
}): Promise<ErrorReports> => {
  if (!dsn) return { report: () => {}, close: async () => {} }
  const sentry = await import('@sentry/node')
  sentry.init({
    dsn,
    defaultIntegrations: false,
    integrations: [sentry.linkedErrorsIntegration()],
    enableRuntimeChannelInjection: false,
    maxBreadcrumbs: 0,
    tracePropagationTargets: [],
    enhanceFetchErrorMessages: 'report-only',
    dataCollection: {
      userInfo: false,
      cookies: false,
      httpHeaders: { request: false, response: false },
      httpBodies: [],
      urlQueryParams: false,
      genAI: { inputs: false, outputs: false },
      mcp: { inputs: false, outputs: false },
      databaseQueryData: false,
      stackFrameVariables: false,
      graphQL: { document: false, variables: false },
    },
    beforeSend: onlyWhatMayLeave,
  })
  return {
    report: (error, { requestId }) => {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      sentry.captureException(error, {
        tags: { requestId, ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}) },
      })
    },
    close: async () => {
      await sentry.close(CLOSE_WITHIN_MS)
    },
  }
}

const onlyWhatMayLeave = ({ event_id, timestamp, platform, level, tags, exception }: ErrorEvent): ErrorEvent => ({
  type: undefined,
  ...(event_id === undefined ? {} : { event_id }),
  ...(timestamp === undefined ? {} : { timestamp }),
  ...(platform === undefined ? {} : { platform }),
  ...(level === undefined ? {} : { level }),
  ...(tags === undefined ? {} : { tags }),
  exception: {
    values: (exception?.values ?? []).map(({ type, stacktrace }) => ({
      ...(type === undefined ? {} : { type }),
      stacktrace: {
        frames: (stacktrace?.frames ?? []).map(({ filename, function: name, lineno, colno, in_app }) => ({
          ...(filename === undefined ? {} : { filename }),
          ...(name === undefined ? {} : { function: name }),
          ...(lineno === undefined ? {} : { lineno }),
          ...(colno === undefined ? {} : { colno }),
          ...(in_app === undefined ? {} : { in_app }),
        })),
      },
    })),
  },
})
