import type { Browser, BrowserContext, Page } from 'playwright-core'
import { eventually, openApp } from '../support/app.js'
import { openTestMongo } from '../support/mongo.js'
import { openBrowser } from './browser.js'

export const OWNER = { email: 'ada@example.com', password: 'correct horse battery' }

type Seen = { id: string; author: string; text: string; attachments?: { name: string; type: string }[] }

type Look = { theme?: 'light' | 'dark'; language?: 'en' | 'pt-BR' | 'es' | 'ar'; width?: number }

/** The whole product with a browser before it: people who sign in, visitors who write. */
export const openDesk = async (env: Record<string, string> = {}) => {
  const mongo = await openTestMongo()
  const app = await openApp(mongo, {
    env: {
      HELPDESK_ADMIN_EMAIL: OWNER.email,
      HELPDESK_ADMIN_PASSWORD: OWNER.password,
      RATE_LIMIT_FACTOR: '1000000',
      ...env,
    },
  })
  const browser: Browser = await openBrowser()
  const { channelKey } = (await app.call<{ channelKey: string }>('/webchat/demo')).body
  await eventually(async () => {
    const { documents } = (await app.call<{ documents: { status: string }[] }>('/knowledge/documents')).body
    return documents.length > 0 && documents.every(({ status }) => status === 'ready')
  })
  let ids = 0

  const context = async ({ theme = 'light', language = 'en', width = 1440 }: Look = {}): Promise<BrowserContext> => {
    const made = await browser.newContext({
      baseURL: app.url,
      viewport: { width, height: 900 },
      reducedMotion: 'reduce',
      locale: 'en-GB',
    })
    made.setDefaultTimeout(30_000)
    await made.addInitScript(
      ([scheme = '', tongue = '']) => {
        if (!localStorage.getItem('helpdesk.theme')) localStorage.setItem('helpdesk.theme', scheme)
        if (!localStorage.getItem('helpdesk.language')) localStorage.setItem('helpdesk.language', tongue)
      },
      [theme, language],
    )
    return made
  }

  const signedIn = async (who: { email: string; password: string } = OWNER, look: Look = {}): Promise<Page> => {
    const made = await context(look)
    const { email, password } = who
    const answer = await made.request.post('/api/auth/sign-in/email', {
      data: { email, password },
      headers: { origin: app.url },
    })
    if (!answer.ok()) throw new Error(`sign-in: ${answer.status()} ${await answer.text()}`)
    return made.newPage()
  }

  return {
    app,
    browser,
    context,
    signedIn,

    /** A colleague who has accepted the invitation. */
    colleague: async (name: string, role: string) => {
      const email = `${name.toLowerCase()}@example.com`
      const { body } = await app.call<{ id: string; setupUrl: string }>('/people', { body: { email, name, role } })
      const token = new URL(body.setupUrl).hash.slice(1)
      await app.call('/setup', { body: { token, name, email, password: OWNER.password } })
      return { id: body.id, email, password: OWNER.password }
    },

    /** Somebody on a web page. `write` resolves when the message is stored. */
    visitor: async (name?: string) => {
      const visitor = name === undefined ? {} : { visitor: { name } }
      const { body } = await app.call<{ token: string; conversationId: string }>('/webchat/sessions', {
        body: { channelKey, ...visitor },
      })
      return {
        conversationId: body.conversationId,
        write: (text: string, attachments: string[] = []) =>
          app.call('/webchat/messages', { token: body.token, body: { id: `m-${(ids += 1)}`, text, attachments } }),
        /** Resolves with the file's ticket. */
        sendUp: async (name: string, content: Uint8Array<ArrayBuffer>) => {
          const form = new FormData()
          form.append('file', new Blob([content]), name)
          const headers = { authorization: `Bearer ${body.token}` }
          const sent = await fetch(`${app.url}/api/v1/webchat/files`, { method: 'POST', headers, body: form })
          return ((await sent.json()) as { ticket: string }).ticket
        },
        rate: (messageId: string, rating: 'up' | 'down' | null) =>
          app.call('/webchat/feedback', { token: body.token, body: { messageId, rating } }),
        reads: async () =>
          (await app.call<{ messages: Seen[] }>('/webchat/messages', { token: body.token })).body.messages,
      }
    },

    close: async () => {
      await browser.close()
      await app.stop()
      await mongo.close()
    },
  }
}

export type TestDesk = Awaited<ReturnType<typeof openDesk>>
