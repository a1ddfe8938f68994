import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { eventually } from '../support/app.js'
import { openCompany, openHouse, type Company, type House } from './company.js'
import type { ChannelKind, Said } from './provider.js'
import { someOf, strangeKindsOf } from './strange.js'

const REASONED = /^(?:ignored|refused):[\w.:-]{1,100}$/u
/** Stands in every text and name: no line of the log may carry it. */
const CANARY = 'canary'
const ASKS_FOR_PERSON = 'I want to talk to a person'
const QUESTION = 'How long can I return goods?'
const ANSWER = '30 days'
/** Signs that turn the direction of what stands around them. */
const TURNS = /[\u202A-\u202E\u2066-\u2069]/u
const STRANGE_PER_SAMPLE = 150
const STRANGE_BY_WIRE = 2

/** What every channel does, whatever lies behind it. What one of them does beside that, its own suite says. */
export const keepsTheChannelContract = (kind: ChannelKind): void => {
  const has = (what: 'sending' | 'receipts') => !kind.without?.includes(what)

  describe(`${kind.kind}, as every channel`, () => {
    let house: House
    let acme: Company
    let globex: Company
    let made = 0

    beforeAll(async () => {
      house = await openHouse()
      acme = await openCompany(house, kind, 'acme')
      const { body } = await house.app.call<{ apiKey: string }>('/companies', { body: { name: 'Globex' } })
      globex = await openCompany(house, kind, 'globex', body.apiKey)
      for (const company of [acme, globex]) {
        await company.link()
        await company.hears(says(somebody(), 'The first word'))
        await company.until(...SERVES)
      }
    }, 60_000)
    afterAll(async () => {
      await house.close()
      for (const { provider } of [acme, globex]) await provider.close()
    })

    /** A kind without a connection is open; every other says so when it serves customers. */
    const SERVES = has('sending') ? ['connected'] : ['open']
    const somebody = () => kind.address((made += 1))
    /** That stands nowhere else. */
    const word = () => `(${CANARY}${(made += 1)})`
    const says = (from: string, text: string): Said => ({
      from,
      id: `${CANARY}-${(made += 1)}`,
      name: 'Canary Souza',
      text: `${text} ${word()}`,
    })
    const copies = async (company: Company, from: string, text: string) =>
      (await company.got(from)).filter((each) => each.includes(text)).length

    /** A conversation that people have, when all that the assistant says about it has left. */
    const withPerson = async (company: Company) => {
      const said = says(somebody(), ASKS_FOR_PERSON)
      await company.hears(said)
      const { conversationId, contactId } = await company.messageWith(said.text)
      await company.left(conversationId, ({ author }) => author === 'assistant')
      return { from: said.from, conversationId, contactId }
    }

    const failedSends = async () => {
      const text = await (await fetch(`${house.app.url}/metrics`)).text()
      const counts = text.matchAll(/^helpdesk_channel_sends_total\{.*outcome="(?:failed|deferred|later)"\} (\d+)$/gmu)
      return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
    }
    /** Does `work` with nobody there to send by, and `then` when that was found out. */
    const whileAway = async (company: Company, work: () => Promise<unknown>, then = async () => {}) => {
      const before = await failedSends()
      company.provider.sending?.away()
      try {
        await work()
        await eventually(async () => (await failedSends()) > before)
        await then()
      } finally {
        company.provider.sending?.back()
      }
    }

    /** As every provider does with what was not acknowledged. */
    const untilTaken = (company: Company, ...said: Said[]) =>
      eventually(() =>
        company.provider.deliver(company.door(), ...said).then(
          () => true,
          () => false,
        ),
      )

    describe('what customers write', () => {
      it('is one message with one answer, however often it is told and whatever process takes it', async () => {
        const other = await house.another()
        try {
          const said = says(somebody(), QUESTION)
          const doors = [acme.door(), acme.door(other.url), acme.door(), acme.door(other.url), acme.door()]
          await Promise.all(doors.map((door) => acme.provider.deliver(door, said)))
          const { conversationId } = await acme.messageWith(said.text)
          await acme.left(conversationId, ({ text }) => text.includes(ANSWER))
          await acme.provider.deliver(acme.door(), said)
          // What the person says after it is here: so was all before.
          await acme.hears(says(said.from, ASKS_FOR_PERSON))
          expect(await acme.stored(({ text }) => text.includes(said.text))).toHaveLength(1)
          expect(await copies(acme, said.from, ANSWER)).toBe(1)
        } finally {
          await other.stop()
        }
      })

      it('stays in the order of each of them', async () => {
        const [ana, ben] = [somebody(), somebody()]
        const all = Array.from({ length: 12 }, (_, n) => says(n % 2 === 0 ? ana : ben, `${ASKS_FOR_PERSON}, line ${n}`))
        await acme.hears(...all)
        for (const from of [ana, ben]) {
          const theirs = all.filter((said) => said.from === from).map(({ text }) => text)
          const kept = await acme.stored(({ text }) => theirs.includes(text))
          expect(kept.map(({ text }) => text)).toEqual(theirs)
        }
      })

      it('comes under a name that turns nothing around it', async () => {
        const said = { ...says(somebody(), ASKS_FOR_PERSON), name: 'Canary \u202Eazuos\u2066 Souza' }
        await acme.hears(said)
        const { contactId } = await acme.messageWith(said.text)
        const { body } = await acme.call<{ contact: { name?: string } }>(`/contacts/${contactId}`)
        expect(body.contact.name).toMatch(/^Canary .*Souza$/)
        expect(body.contact.name).not.toMatch(TURNS)
      })

      const isNamed = (name: string) => kind.names.includes(name) || REASONED.test(name)

      it.each(Object.entries(kind.samples))('is told apart: %s', async (_name, sample) => {
        const names = await kind.decode(sample)
        expect(names.length).toBeGreaterThan(0)
        expect(names.filter((name) => !isNamed(name))).toEqual([])
        // Told again it is the same: else a repetition would be taken for something new.
        expect(await kind.decode(sample)).toEqual(names)
      })

      it('is named or left by name whatever stands in place of any of its pieces', async () => {
        for (const [name, sample] of Object.entries(kind.samples))
          for (const strange of someOf(strangeKindsOf(sample), STRANGE_PER_SAMPLE)) {
            const names = await kind.decode(strange)
            expect({ name, unnamed: names.filter((each) => !isNamed(each)) }).toEqual({ name, unnamed: [] })
          }
      }, 120_000)

      it('is never stored by half, and whoever writes after something strange is heard', async () => {
        const others = (await globex.stored()).length
        for (const sample of Object.values(kind.samples))
          for (const strange of someOf(strangeKindsOf(sample), STRANGE_BY_WIRE))
            await acme.provider.hand(acme.door(), strange)
        const talk = await withPerson(acme)
        await acme.speak(talk.conversationId, `We hear you ${word()}`)
        expect(await acme.halves()).toEqual([])
        expect((await globex.stored()).length).toBe(others)
        await acme.until(...SERVES)
      }, 60_000)
    })

    describe('what people answer', () => {
      it('leaves once, and is said to have', async () => {
        const { from, conversationId } = await withPerson(globex)
        const reply = `Here I am ${word()}`
        expect((await globex.speak(conversationId, reply)).status).toBe(201)
        await globex.left(conversationId, ({ text }) => text === reply)
        expect(await copies(globex, from, reply)).toBe(1)
      })

      if (has('receipts'))
        it('is followed to its reader, and never back', async () => {
          const { from, conversationId } = await withPerson(globex)
          const reply = `Here it is ${word()}`
          await globex.speak(conversationId, reply)
          await globex.left(conversationId, ({ text }) => text === reply)
          const { externalId = '' } = await globex.messageWith(reply)
          for (const status of ['read', 'delivered', 'sent', 'refused'] as const)
            await globex.provider.tell?.(globex.door(), { status, externalId, to: from })
          await globex.hears(says(from, 'Thank you'))
          const [seen] = (await globex.seenIn(conversationId)).filter(({ text }) => text === reply)
          expect(seen).toMatchObject({ status: 'read' })
          expect(seen).not.toHaveProperty('reason')
        })

      if (has('sending')) {
        it('is refused with the reason where it meets a no that is meant, and holds up nothing', async () => {
          const { from, conversationId } = await withPerson(globex)
          const [refused, next] = [`No ${word()}`, `Yes ${word()}`]
          globex.provider.sending?.refuseNext()
          await globex.speak(conversationId, refused)
          const { reason } = await globex.outbound(conversationId, ({ text }) => text === refused, 'refused')
          expect(reason).toMatch(/^[a-z0-9_]+: \S/)
          await globex.speak(conversationId, next)
          await globex.left(conversationId, ({ text }) => text === next)
          expect(await copies(globex, from, refused)).toBe(0)
        })

        it('is tried again where nobody is there, and arrives once', async () => {
          const { from, conversationId } = await withPerson(globex)
          const reply = `In a moment ${word()}`
          await whileAway(globex, () => globex.speak(conversationId, reply))
          await globex.left(conversationId, ({ text }) => text === reply)
          expect(await copies(globex, from, reply)).toBe(1)
        }, 60_000)

        it('is shown as uncertain where nobody knows whether it left, and is not sent again', async () => {
          const { from, conversationId } = await withPerson(globex)
          const [lost, next] = [`Perhaps ${word()}`, `Surely ${word()}`]
          globex.provider.sending?.loseNext()
          await globex.speak(conversationId, lost)
          await globex.outbound(conversationId, ({ text }) => text === lost, 'uncertain')
          await globex.speak(conversationId, next)
          await globex.left(conversationId, ({ text }) => text === next)
          expect(await copies(globex, from, lost)).toBeLessThanOrEqual(1)
        })
      }

      it('reaches nobody who is blocked: what they write is kept, and the assistant is silent', async () => {
        const said = says(somebody(), QUESTION)
        await acme.hears(said)
        const { contactId } = await acme.messageWith(said.text)
        await acme.settled(contactId)
        await acme.call(`/contacts/${contactId}/block`, { body: { blocked: true } })
        const before = await acme.got(said.from)
        await acme.hears(says(said.from, QUESTION))
        // Somebody else who asks afterwards is answered: whoever was to be answered before would have been.
        const other = says(somebody(), QUESTION)
        await acme.hears(other)
        await eventually(async () => (await copies(acme, other.from, ANSWER)) === 1)
        await acme.settled(contactId)
        expect(await acme.got(said.from)).toEqual(before)
      })

      if (kind.optOut !== undefined) {
        const { optOut } = kind
        it('is only people’s to whoever wants no automatic messages, which they are told once', async () => {
          const from = somebody()
          const [stop, question] = [{ ...says(from, ''), text: optOut }, says(from, QUESTION)]
          for (const said of [stop, stop, question]) await acme.provider.deliver(acme.door(), said)
          const { conversationId, contactId } = await acme.messageWith(question.text)
          await eventually(async () => (await acme.conversation(conversationId)).handoff?.reason === 'opted_out')
          await acme.settled(contactId)
          const { body } = await acme.call<{ contact: { optedOut?: boolean } }>(`/contacts/${contactId}`)
          expect(body.contact.optedOut).toBe(true)
          const got = await eventually(async () => {
            const texts = await acme.got(from)
            return texts.length > 0 && texts
          })
          expect(got).toHaveLength(1)
          expect(got[0]).not.toContain(ANSWER)
        })
      }
    })

    describe('two companies with the same customer', () => {
      it('have a conversation each, and nothing of the other’s, even where the provider’s name of a message is the same', async () => {
        const first = says(somebody(), ASKS_FOR_PERSON)
        const second = { ...first, text: `${ASKS_FOR_PERSON} ${word()}` }
        await acme.hears(first)
        await globex.hears(second)
        const [ours, theirs] = [await acme.messageWith(first.text), await globex.messageWith(second.text)]
        expect(ours.conversationId).not.toBe(theirs.conversationId)
        expect(ours.contactId).not.toBe(theirs.contactId)
        for (const route of [
          `/conversations/${ours.conversationId}`,
          `/conversations/${ours.conversationId}/messages`,
          `/contacts/${ours.contactId}`,
          `/channels/${acme.channelId}`,
        ])
          expect({ route, status: (await globex.call(route)).status }).toEqual({ route, status: 404 })
        expect((await globex.speak(ours.conversationId, 'Hello')).status).toBe(404)
        const list = JSON.stringify((await globex.call('/conversations?limit=100')).body)
        expect(list).toContain(theirs.conversationId)
        expect(list).not.toContain(ours.conversationId)

        const reply = `From Globex ${word()}`
        await globex.speak(theirs.conversationId, reply)
        await eventually(async () => (await copies(globex, first.from, reply)) === 1)
        expect(await copies(acme, first.from, reply)).toBe(0)
        expect(await acme.stored(({ text }) => text === reply || text === second.text)).toEqual([])
      })
    })

    describe('the channel', () => {
      it('keeps its secrets where its settings are saved as they are shown', async () => {
        const before = await acme.channel()
        const saved = await acme.call(`/channels/${acme.channelId}`, {
          method: 'PATCH',
          body: { name: 'Saved as shown', settings: before.settings },
        })
        expect(saved.status).toBe(200)
        const { settings, secretsSet } = await acme.channel()
        expect({ settings, secretsSet }).toEqual({ settings: before.settings, secretsSet: before.secretsSet })
        const { from, conversationId } = await withPerson(acme)
        const reply = `Still here ${word()}`
        await acme.speak(conversationId, reply)
        await eventually(async () => (await copies(acme, from, reply)) === 1)
        await acme.until(...SERVES)
      })

      it('loses and doubles nothing while two people save its settings at once', async () => {
        const from = somebody()
        const all = Array.from({ length: 8 }, (_, n) => says(from, `${ASKS_FOR_PERSON}, line ${n}`))
        const saving = Promise.all(
          ['one', 'two'].map((name) =>
            acme.call(`/channels/${acme.channelId}`, { method: 'PATCH', body: { name, settings: {} } }),
          ),
        )
        for (const said of all) await untilTaken(acme, said)
        expect((await saving).map(({ status }) => status)).toEqual([200, 200])
        for (const { text } of all) await acme.messageWith(text)
        const texts = all.map(({ text }) => text)
        const kept = await acme.stored(({ text }) => texts.includes(text))
        expect(kept.map(({ text }) => text)).toEqual(texts)
        await acme.until(...SERVES)
      }, 60_000)

      it('leaves no connection behind when it is stopped, and started again has lost nothing of either way', async () => {
        const { from, conversationId } = await withPerson(globex)
        const reply = `When you are back ${word()}`
        const [here, there] = [says(from, 'Are you there?'), says(somebody(), ASKS_FOR_PERSON)]
        const open = acme.provider.connections
        if (open) expect(open()).toBeGreaterThan(0)
        const stopAndStart = async () => {
          await house.stop()
          for (const { provider } of [acme, globex]) await eventually(async () => !provider.connections?.())
          const written = Promise.all([untilTaken(globex, here), untilTaken(acme, there)])
          await house.start()
          await written
        }
        if (has('sending')) await whileAway(globex, () => globex.speak(conversationId, reply), stopAndStart)
        else {
          await globex.speak(conversationId, reply)
          await stopAndStart()
        }
        await globex.left(conversationId, ({ text }) => text === reply)
        expect(await copies(globex, from, reply)).toBe(1)
        for (const [company, said] of [
          [globex, here],
          [acme, there],
        ] as const) {
          await company.messageWith(said.text)
          expect(await company.stored(({ text }) => text.includes(said.text))).toHaveLength(1)
          await company.until(...SERVES)
        }
      }, 90_000)

      if (has('sending'))
        it('says in a sentence that its account is refused, and that it works again', async () => {
          const { conversationId } = await withPerson(globex)
          globex.provider.sending?.denyNext()
          await globex.speak(conversationId, `Denied ${word()}`)
          const { code, detail } = await eventually(async () => {
            const now = await globex.channel()
            return ['refused', 'attention'].includes(now.state) && now
          })
          expect(code).toMatch(/^[a-z_]+$/)
          expect(detail).toMatch(/^[A-Z].*[.]$/)
          if (globex.provider.link) {
            await globex.call(`/channels/${globex.channelId}`, { method: 'PATCH', body: { settings: {} } })
            await globex.link()
          }
          const { from, conversationId: next } = await withPerson(globex)
          const reply = `And on we go ${word()}`
          await globex.speak(next, reply)
          await globex.until('connected')
          await eventually(async () => (await copies(globex, from, reply)) === 1)
        }, 60_000)

      it('shows no secret anywhere, and logs neither who wrote nor what', async () => {
        const metrics = await (await fetch(`${house.app.url}/metrics`)).text()
        const shown: Record<string, string> = { metrics, log: house.lines.join('') }
        for (const { call, channelId } of [acme, globex])
          for (const route of ['/channels', `/channels/${channelId}`, '/channels/kinds', '/conversations?limit=100'])
            shown[`${channelId} ${route}`] = JSON.stringify((await call(route)).body)
        for (const collection of ['channels', 'channel_memory', 'leases'])
          shown[collection] = JSON.stringify(await house.mongo.db.collection(collection).find().toArray())
        const secrets = [acme, globex].flatMap(({ provider }) => provider.secrets)
        const showing = Object.keys(shown).filter((place) => secrets.some((secret) => shown[place]?.includes(secret)))
        expect(showing).toEqual([])

        const said = [CANARY, ...Array.from({ length: made }, (_, n) => kind.address(n))]
        const saying = [...house.lines, ...metrics.split('\n')].filter((line) =>
          said.some((each) => line.toLowerCase().includes(each.toLowerCase())),
        )
        expect(saying).toEqual([])
      })
    })
  })
}
