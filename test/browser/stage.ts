import express from 'express'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { makeErrorHandler } from '../../src/api/errors.js'
import { makeLimits } from '../../src/api/limits.js'
import { attachLive } from '../../src/api/live.js'
import { makePages } from '../../src/api/pages.js'
import { mountChannelRoute } from '../../src/api/public-routes.js'
import { makeAttachments } from '../../src/channels/attachments.js'
import type { ChannelRecord, Follower, PublicKit, Standing } from '../../src/channels/channel.js'
import webchat from '../../src/channels/webchat/index.js'
import type { Message } from '../../src/conversations/message.js'
import { systemClock } from '../../src/platform/clock.js'
import { AppError } from '../../src/platform/errors.js'
import { makeDiskFiles } from '../../src/platform/files.js'
import { makeLog } from '../../src/platform/log.js'
import { makeMetrics } from '../../src/platform/metrics.js'
import { makeSecrets } from '../../src/platform/secrets.js'

/**
 * The chat's real public API, live connection and files, with a company behind it that says what the test wants, when it
 * wants. Whoever asks and answers is played; how it travels is not.
 */
export const openStage = async (settings: Record<string, unknown> = {}) => {
  const log = makeLog('silent')
  const metrics = makeMetrics()
  const limit = makeLimits({ factor: 1e6, metrics })
  const record: ChannelRecord = {
    id: 'chn_1',
    companyId: 'acme',
    kind: 'webchat',
    name: 'Chat',
    key: 'key-of-acme',
    settings: webchat.settings.parse(settings) as Record<string, unknown>,
  }
  const said: (Message & { visitor: string })[] = []
  const followers = new Map<string, Set<Follower>>()
  let standing: Standing = { handler: 'assistant', agent: null, working: false, askEmail: false }
  let isOpen = true
  let visitor = ''

  const directory = await mkdtemp(path.join(tmpdir(), 'helpdesk-stage-'))
  const secrets = makeSecrets('a secret of the tests, longer than thirty-two characters')
  const files = makeDiskFiles(directory)
  const attachments = makeAttachments({ files, attachment: async () => null, secrets, clock: systemClock })

  const followersOf = (name: string) => [...(followers.get(name) ?? [])]
  const append = (name: string, given: Partial<Message>): Message => {
    const seq = said.filter((one) => one.visitor === name).length + 1
    const message: Message & { visitor: string } = {
      id: `msg_${said.length + 1}`,
      companyId: 'acme',
      conversationId: `cnv_${name}`,
      channelId: 'chn_1',
      contactId: name,
      seq,
      kind: 'message',
      author: { kind: 'assistant', name: 'Assistant' },
      text: '',
      citations: [],
      status: null,
      at: new Date(),
      visitor: name,
      ...given,
    }
    said.push(message)
    for (const follower of followersOf(name)) follower.message(message)
    return message
  }

  const kit: PublicKit = {
    channelByKey: (key) => (isOpen && key === record.key ? record : null),
    channelById: (id) => (isOpen && id === record.id ? record : null),
    demoChannel: () => record,
    receive: async (_channel, { externalId, contact, text, attachments = [] }) => {
      visitor = contact.externalId
      const known = said.find((one) => one.externalId === externalId)
      const message =
        known ??
        append(visitor, {
          author: { kind: 'customer' },
          text,
          externalId,
          ...(attachments.length > 0 ? { attachments } : {}),
        })
      return { messageId: message.id, conversationId: message.conversationId, duplicate: Boolean(known) }
    },
    history: async (_channel, name, after) => {
      const all = said.filter((one) => one.visitor === name)
      return after ? all.slice(all.findIndex(({ id }) => id === after) + 1) : all
    },
    standing: async () => standing,
    rate: async (_channel, name, messageId, rating) => {
      const message = said.find(({ id }) => id === messageId)
      if (message && rating) message.feedback = { rating, at: new Date() }
      for (const follower of followersOf(name)) if (message) follower.message(message)
    },
    leaveEmail: async () => {
      change({ askEmail: false })
    },
    source: async (_channel, _name, messageId, index) => {
      const quote = said.find(({ id }) => id === messageId)?.citations[index]?.quote
      if (quote === undefined) throw new AppError('not_found', 'source_not_found', 'No such source.')
      return { before: 'Before it. ', quote, after: ' After it.' }
    },
    acceptFile: ({ companyId }, name, file) => attachments.accept({ companyId, ownerId: name }, file),
    redeemFiles: ({ companyId }, name, tickets) => attachments.redeem({ companyId, ownerId: name }, tickets),
    linkToFile: attachments.linkTo,
    openLink: attachments.openLink,
    follow: (_channel, name, follower) => {
      const all = followers.get(name) ?? new Set()
      followers.set(name, all.add(follower))
      return () => void all.delete(follower)
    },
    limit,
    clock: systemClock,
    secrets,
    ownOrigins: [],
  }
  const change = (to: Partial<Standing>) => {
    standing = { ...standing, ...to }
    for (const all of followers.values()) for (const follower of all) follower.standing(standing)
  }

  const publicApi = webchat.publicApi?.(kit)
  if (!publicApi) throw new Error('the web chat has no public API')
  const app = express()
  for (const route of publicApi.routes) mountChannelRoute(app, route, null)
  app.use(makePages())
  app.use(makeErrorHandler({ log, report: () => {} }))

  let server: Server
  let live: ReturnType<typeof attachLive>
  const listen = async (port: number): Promise<number> => {
    server = createServer(app)
    live = attachLive(server, {
      namespaces: [publicApi.namespace],
      addressOf: () => '127.0.0.1',
      limit,
      metrics,
      log,
    })
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }
  const port = await listen(0)
  const goAway = async (): Promise<void> => {
    await live.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }

  return {
    url: `http://127.0.0.1:${port}`,
    key: 'key-of-acme',
    record,
    /** What visitors wrote, in the order in which it was taken in. */
    received: () => said.filter(({ author }) => author.kind === 'customer').map(({ text }) => text),
    /** To the visitor who wrote last. */
    say: (given: Partial<Message>) => append(visitor, given),
    sentence: (index: number, text: string, citations: Message['citations'] = []) => {
      for (const follower of followersOf(visitor))
        follower.sentence({ conversationId: `cnv_${visitor}`, draftId: 'drf_1', index, text, citations })
    },
    withdraw: () => {
      for (const follower of followersOf(visitor))
        follower.withdrawn({ conversationId: `cnv_${visitor}`, draftId: 'drf_1' })
    },
    change,
    listening: () => followersOf(visitor).length,
    closeChannel: () => {
      isOpen = false
    },
    openChannel: () => {
      isOpen = true
    },
    goAway,
    comeBack: () => listen(port),
    close: async () => {
      await goAway().catch(() => {})
      await rm(directory, { recursive: true })
    },
  }
}

export type Stage = Awaited<ReturnType<typeof openStage>>

/** Somebody's own site, on an origin of its own, with the chat's script tag on it. */
export const openSite = async (html: (path: string) => string, headers: Record<string, string> = {}) => {
  const server = createServer((req, res) => {
    res.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...headers })
    res.end(html(req.url ?? '/'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
