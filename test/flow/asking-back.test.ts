import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { eventually, openApp } from '../support/app.js'
import { openGraph } from '../support/graph.mjs'
import { HIRE } from '../support/hire.js'
import { openTestMongo } from '../support/mongo.js'
import { from, PHONE_NUMBER_ID, said, signatureOf, webhookOf } from '../support/whatsapp.js'

/** The whole product, asked what stands in several places: over the web chat and over WhatsApp. */
type Frame = { id: string; author: string; text: string; citations: { quote: string }[]; choices?: string[] }
type Line = Frame & { kind: string; decisionId?: string; about?: { messageId: string; label: string } }
type Decision = { clarification?: { outcome: string; choices: { label: string }[] }; within?: { label: string } }

const QUESTION = 'What about the deposit?'

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let app: Awaited<ReturnType<typeof openApp>>
let graph: Awaited<ReturnType<typeof openGraph>>
let number = 0

const teach = async (title: string, text: string, token?: string) => {
  const as = token ? { token } : {}
  const { id } = (await app.call<{ id: string }>('/knowledge/documents', { body: { title, text }, ...as })).body
  await eventually(
    async () => (await app.call<{ status: string }>(`/knowledge/documents/${id}`, as)).body.status === 'ready',
  )
}

beforeAll(async () => {
  mongo = await openTestMongo()
  graph = await openGraph({ phoneNumberId: PHONE_NUMBER_ID })
  app = await openApp(mongo, { env: { ALLOW_PRIVATE_ADDRESSES: 'true' } })
  await teach('Hire', HIRE)
  const rival = (await app.call<{ id: string; apiKey: string }>('/companies', { body: { name: 'Rival' } })).body
  await teach('Rival', HIRE.replaceAll('Renting', 'Stealing'), rival.apiKey)
})
afterAll(async () => {
  await app.stop()
  await graph.close()
  await mongo.close()
})

const chat = async () => {
  const { channelKey } = (await app.call<{ channelKey: string }>('/webchat/demo')).body
  const { token, conversationId } = (
    await app.call<{ token: string; conversationId: string }>('/webchat/sessions', { body: { channelKey } })
  ).body
  const read = async () => (await app.call<{ messages: Frame[] }>('/webchat/messages', { token })).body.messages
  const write = async (text: string, id = `m${(number += 1)}`) =>
    app.call('/webchat/messages', { token, body: { id, text } })
  return {
    conversationId,
    read,
    write,
    ask: async (text: string): Promise<Frame> => {
      const before = (await read()).filter(({ author }) => author === 'assistant').length
      await write(text)
      return eventually(async () => (await read()).filter(({ author }) => author === 'assistant')[before])
    },
    lines: async () =>
      (await app.call<{ messages: Line[] }>(`/conversations/${conversationId}/messages`)).body.messages.filter(
        ({ kind }) => kind === 'message',
      ),
  }
}
const decisionOf = async ({ decisionId }: Line, replay = '') =>
  (
    await app.call<Decision & { replay?: { differs: boolean; choices: { now: string[] } } }>(
      `/decisions/${decisionId}${replay}`,
    )
  ).body

describe('a visitor of the web chat', () => {
  it('is asked which of several things they mean, chooses, and is answered; agents see what and why', async () => {
    const visitor = await chat()
    const asked = await visitor.ask(QUESTION)
    expect(asked.choices?.at(-1)).toBe('Talk to a person')
    expect(asked.choices?.slice(0, -1).sort()).toEqual(['Renting a bicycle', 'Renting a car'])
    const answer = await visitor.ask('Renting a bicycle')
    expect(answer.text).toContain('deposit of 50 euros')
    expect(answer).not.toHaveProperty('choices')
    const [, offering, , reply] = await visitor.lines()
    expect(offering?.choices).toEqual(asked.choices)
    expect(reply?.about).toEqual({ messageId: asked.id, label: 'Renting a bicycle' })
    expect((await decisionOf(offering!)).clarification).toMatchObject({ outcome: 'asked' })
    expect((await decisionOf(offering!, '?replay=1')).replay).toMatchObject({
      differs: false,
      choices: { now: asked.choices?.slice(0, -1) },
    })
    expect(await decisionOf(reply!)).toMatchObject({ within: { label: 'Renting a bicycle' } })
  })

  it('is answered once, however often the same press arrives', async () => {
    const visitor = await chat()
    const asked = await visitor.ask(QUESTION)
    const pressed = Array.from({ length: 4 }, () => visitor.write('Renting a car', `choice:${asked.id}:0`))
    for (const { status } of await Promise.all(pressed)) expect(status).toBe(202)
    const answer = await eventually(async () => (await visitor.read())[3])
    expect(answer.text).toContain('deposit of 300 euros')
    await visitor.ask('thank you')
    expect((await visitor.read()).map(({ author }) => author)).toEqual([
      'customer',
      'assistant',
      'customer',
      'assistant',
      'customer',
      'assistant',
    ])
  })

  it('who writes something else instead is answered that', async () => {
    const visitor = await chat()
    await visitor.ask(QUESTION)
    expect((await visitor.ask('How long can I return goods?')).text).toContain('30 days')
  })
})

describe('a customer on WhatsApp', () => {
  it('presses a choice and is answered; an old, doubled or made-up press is only what it says', async () => {
    const { id: channelId } = (
      await app.call<{ id: string }>('/channels', {
        body: {
          kind: 'whatsapp-cloud',
          settings: graph.settings,
        },
      })
    ).body
    const customer = '4915100000001'
    const post = async (body: object) => {
      const raw = JSON.stringify(body)
      const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signatureOf(raw, graph.secret) }
      const { status } = await fetch(`${app.url}/webhooks/${channelId}`, { method: 'POST', headers, body: raw })
      expect(status).toBe(200)
    }
    const press = (reply: { id: string; title: string }, externalId = `wamid.press-${(number += 1)}`) => {
      const interactive = { type: 'button_reply', button_reply: reply }
      const message = { from: customer, id: externalId, timestamp: '1762000000', type: 'interactive', interactive }
      return post(webhookOf({ ...from(customer), messages: [message] }))
    }
    const sent = (count: number) =>
      eventually(async () => {
        const all = graph.sent().filter(({ to }) => to === customer)
        return all.length >= count ? all : null
      })

    await post(said(customer, 'wamid.ask-1', QUESTION))
    const [offered] = await sent(1)
    expect(offered).toMatchObject({ type: 'interactive', interactive: { type: 'button' } })
    const replies = offered!.interactive.action.buttons.map(({ reply }) => reply)
    expect(replies.at(-1)?.title).toBe('Talk to a person')
    const car = replies.find(({ title }) => title === 'Renting a car')!

    // Words that say nothing: the id alone is the choice. Meta tells it twice, and they press it twice.
    await press({ ...car, title: '…' }, 'wamid.press-once')
    await press({ ...car, title: '…' }, 'wamid.press-once')
    const answered = await sent(2)
    expect(JSON.stringify(answered[1])).toContain('300 euros')
    await press({ ...car, title: '…' })
    await press({ id: car.id.replace(/msg_\w+/u, 'msg_of_another'), title: 'How long can I return goods?' })
    const all = await sent(3)
    expect(JSON.stringify(all[2])).toContain('30 days')
    expect(all).toHaveLength(3)
  })
})
