import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { readdir, rm, utimes } from 'node:fs/promises'
import path from 'node:path'
import { makeMailbox, type FoundMail } from '../../src/channels/email/mailbox.js'
import { AppError } from '../../src/platform/errors.js'
import { systemClock } from '../../src/platform/clock.js'
import { makeLog } from '../../src/platform/log.js'
import { eventually } from '../support/app.js'
import { openDovecot, type Dovecot } from '../support/dovecot.mjs'
import { letter } from '../support/email.mjs'
import { openFaultProxy } from '../support/fault-proxy.js'

const dovecot = await openDovecot()
const withMailServer = dovecot ? describe : describe.skip

withMailServer('a mailbox that is followed', () => {
  const server = dovecot as Dovecot
  let proxy: Awaited<ReturnType<typeof openFaultProxy>>
  let users = 0
  const running: (() => Promise<void>)[] = []

  beforeAll(async () => {
    proxy = await openFaultProxy(server.imapPort)
  })
  afterEach(async () => {
    proxy.fallSilent(false)
    proxy.cutAfter(/never/, 0)
    for (const stop of running.splice(0)) await stop()
  })
  afterAll(async () => {
    await proxy.close()
    await server.close()
  })

  /** A mailbox of its own, whose memory and store outlive whoever follows it. */
  const account = (since: Date | null = null) => {
    users += 1
    const user = `user${users}@acme.example`
    const memory = new Map<string, unknown>()
    const stored: string[] = []
    const aside: string[] = []
    const states: string[] = []
    const manner: {
      take: (subject: string, mail: FoundMail) => Promise<void>
      password?: () => string
      renew?: () => boolean
      answerMs?: number
    } = { take: async () => {} }
    const subjectOf = ({ raw }: FoundMail) => /^Subject: (.*)$/m.exec(raw.toString('latin1'))?.[1]?.trim() ?? ''
    const follow = () => {
      const stopping = new AbortController()
      const mailbox = makeMailbox({
        connection: async () => ({
          host: '127.0.0.1',
          port: proxy.port,
          secure: false,
          doSTARTTLS: false,
          auth: { user, pass: manner.password?.() ?? 'secret' },
        }),
        renew: () => manner.renew?.() ?? false,
        path: 'INBOX',
        since,
        memory: {
          get: async <T>(key: string) => (memory.has(key) ? (structuredClone(memory.get(key)) as T) : null),
          set: async (key, value) => void memory.set(key, structuredClone(value)),
        },
        take: async (mail) => {
          await manner.take(subjectOf(mail), mail)
          // As the core does: the same mail is one message.
          if (!stored.includes(subjectOf(mail))) stored.push(subjectOf(mail))
        },
        setAside: async (mail) => void aside.push(subjectOf(mail)),
        report: ({ state, code }) => void states.push(code ? `${state} ${code}` : state),
        clock: systemClock,
        log: makeLog('silent'),
        timing: { poll: 400, answer: manner.answerMs ?? 1_500, firstPause: 20 },
      })
      const run = mailbox.run(stopping.signal)
      const stop = async () => {
        stopping.abort()
        await run
      }
      running.push(stop)
      return { stop }
    }
    return {
      user,
      memory,
      stored,
      aside,
      states,
      manner,
      follow,
      connected: () => eventually(async () => states.at(-1) === 'connected'),
      deliver: (...subjects: string[]) =>
        subjects.reduce(
          (before, subject) =>
            before.then(() =>
              server.deliver(user, letter({ from: 'ana@customer.example', to: user, subject, text: 'Hello' })),
            ),
          Promise.resolve(),
        ),
      has: (...subjects: string[]) => eventually(async () => subjects.every((subject) => stored.includes(subject))),
    }
  }

  it('what lay in it before is left alone; what comes from now on is taken in, in order', async () => {
    const { deliver, follow, connected, has, stored } = account()
    await deliver('old')
    follow()
    await connected()
    await deliver('one', 'two', 'three')
    await has('one', 'two', 'three')
    expect(stored).toEqual(['one', 'two', 'three'])
  })

  it('with a day to begin at, mail from that day on is taken in, and known to be older than the connection', async () => {
    const ago = (days: number) => new Date(Date.now() - days * 24 * 3_600_000)
    const { user, deliver, follow, has, stored, manner } = account(ago(3))
    const old = new Map<string, boolean>()
    manner.take = async (subject, mail) => void old.set(subject, mail.old)
    await deliver('last week', 'yesterday', 'now')
    // A maildir takes the time of arrival from the file's; its names begin with seconds and microseconds, without zeros before.
    const byName = new Intl.Collator('en', { numeric: true }).compare
    const files = (await readdir(path.join(server.mailDirectory(user), 'new'))).sort(byName)
    const [lastWeek = '', yesterday = ''] = files
    for (const [name, days] of [
      [lastWeek, 7],
      [yesterday, 1],
    ] as const)
      await utimes(path.join(server.mailDirectory(user), 'new', name), ago(days), ago(days))
    follow()
    await has('yesterday', 'now')
    expect(stored).toEqual(['yesterday', 'now'])
    expect([...old]).toEqual([
      ['yesterday', true],
      ['now', false],
    ])
  })

  it('mail that came while nobody looked is taken in, and none of it twice', async () => {
    const { deliver, follow, connected, has, stored } = account()
    const first = follow()
    await connected()
    await deliver('before')
    await has('before')
    await first.stop()
    await deliver('meanwhile 1', 'meanwhile 2')
    follow()
    await has('meanwhile 1', 'meanwhile 2')
    expect(stored).toEqual(['before', 'meanwhile 1', 'meanwhile 2'])
  })

  it('somebody who reads and files mail elsewhere changes nothing', async () => {
    const { user, deliver, follow, connected, has } = account()
    const first = follow()
    await connected()
    await first.stop()
    await deliver('read elsewhere')
    server.doveadm('flags', 'add', '-u', user, '\\Seen', 'mailbox', 'INBOX', 'all')
    follow()
    await has('read elsewhere')
    expect(server.doveadm('fetch', '-u', user, 'flags', 'mailbox', 'INBOX', 'all')).toContain('\\Seen')
    await deliver('left unread')
    await has('left unread')
    expect(server.doveadm('search', '-u', user, 'mailbox', 'INBOX', 'unseen').trim()).not.toBe('')
  })

  it.each([
    ['greeting', /^\w+ (CAPABILITY|ID)/i],
    ['login', /(LOGIN|AUTHENTICATE)/i],
    ['examine', /EXAMINE/i],
    ['search', /SEARCH/i],
    ['fetch of sizes', /FETCH .*RFC822\.SIZE/i],
    ['fetch of mail', /FETCH .*BODY\.PEEK/i],
    ['idle', /IDLE/i],
    ['the end of idle', /DONE/i],
  ])('a connection that breaks at the %s loses nothing', async (_name, pattern) => {
    const { deliver, follow, has, stored, connected } = account()
    const before = follow()
    await connected()
    await before.stop()
    proxy.cutAfter(pattern, 2)
    await deliver('a', 'b')
    follow()
    await has('a', 'b')
    await deliver('c')
    await has('c')
    expect(stored).toEqual(['a', 'b', 'c'])
  })

  it('a server that throws everybody out, or goes away for a while, is followed again', async () => {
    const { user, deliver, follow, connected, has, states } = account()
    follow()
    await connected()
    for (let round = 0; round < 3; round += 1) {
      server.doveadm('kick', user)
      proxy.cutAll()
      await deliver(`after ${round}`)
    }
    await has('after 0', 'after 1', 'after 2')
    await server.stop()
    // A child that had just been logged in to outlives its master.
    proxy.cutAll()
    await eventually(async () => states.at(-1) !== 'connected')
    await server.start()
    await deliver('after the pause')
    await has('after the pause')
  })

  it('a token that was taken back is renewed once; a password that stays wrong waits for a person', async () => {
    const { deliver, follow, has, states, manner } = account()
    let renewed = 0
    // The server takes its time to refuse a password.
    manner.answerMs = 8_000
    manner.password = () => (renewed > 0 ? 'secret' : 'taken back')
    manner.renew = () => ((renewed += 1), true)
    await deliver('before')
    follow()
    await eventually(async () => states.at(-1) === 'connected')
    await deliver('after')
    await has('after')
    expect(renewed).toBe(1)
    expect(states.some((state) => state.startsWith('refused'))).toBe(false)

    const other = account()
    other.manner.answerMs = 8_000
    other.manner.password = () => 'wrong'
    other.follow()
    await eventually(async () => other.states.at(-1) === 'refused password_refused')
  })

  it('a connection that died without a word is found out', async () => {
    const { deliver, follow, connected, has } = account()
    follow()
    await connected()
    proxy.fallSilent(true)
    await deliver('in the silence')
    const before = proxy.connections()
    await eventually(async () => proxy.connections() > before)
    proxy.fallSilent(false)
    proxy.cutAll()
    await has('in the silence')
  })

  it('a mailbox that was made anew is read again from its beginning, and what is known is known', async () => {
    const { user, deliver, follow, connected, has, stored, memory } = account()
    const first = follow()
    await connected()
    await deliver('one', 'two')
    await has('one', 'two')
    await first.stop()
    const validity = () => (memory.get('cursor INBOX') as { uidValidity: string }).uidValidity
    const before = validity()
    // Its numbering starts anew, with the same mail in it.
    await rm(path.join(server.mailDirectory(user), 'dovecot-uidlist'), { force: true })
    for (const index of ['dovecot.index', 'dovecot.index.log', 'dovecot.index.cache'])
      await rm(path.join(server.mailDirectory(user), index), { force: true })
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    await deliver('three')
    follow()
    await has('three')
    expect(validity()).not.toBe(before)
    expect(stored).toEqual(['one', 'two', 'three'])
  })

  it('a mail that cannot be taken in is set aside after three tries, and the next ones come through', async () => {
    const { deliver, follow, connected, has, aside, manner } = account()
    let tries = 0
    manner.take = async (subject) => {
      if (subject !== 'poison') return
      tries += 1
      throw new Error('cannot be read')
    }
    follow()
    await connected()
    await deliver('before', 'poison', 'behind')
    await has('before', 'behind')
    expect(aside).toEqual(['poison'])
    expect(tries).toBe(3)
  })

  it('a mail that kills whoever reads it is found out by those who come after', async () => {
    const { deliver, follow, connected, has, aside, manner } = account()
    const first = follow()
    await connected()
    await first.stop()
    await deliver('fine', 'deadly', 'behind')
    // A process that dies writes nothing more: this one hangs until it is stopped, and its successor takes over.
    let deaths = 0
    manner.take = (subject) => (subject === 'deadly' ? ((deaths += 1), new Promise(() => {})) : Promise.resolve())
    for (let death = 1; death <= 12 && aside.length === 0; death += 1) {
      follow()
      running.splice(0)
      await eventually(async () => deaths === death || aside.length > 0)
      proxy.cutAll()
    }
    await has('behind')
    expect(aside).toEqual(['deadly'])
  })

  it('a process that dies after a mail was stored and before the place was noted doubles nothing', async () => {
    const { deliver, follow, connected, has, stored, memory, manner } = account()
    const first = follow()
    await connected()
    await first.stop()
    const before = structuredClone(memory.get('cursor INBOX'))
    let taken = 0
    manner.take = async () => void (taken += 1)
    await deliver('one', 'two')
    const second = follow()
    await has('one', 'two')
    await second.stop()
    // What it would have left behind.
    memory.set('cursor INBOX', before)
    follow()
    await eventually(async () => taken === 4)
    expect(stored).toEqual(['one', 'two'])
  })

  it('while the store is away nothing is set aside, and everything is there afterwards', async () => {
    const { deliver, follow, connected, has, aside, stored, manner, states } = account()
    follow()
    await connected()
    let away = true
    manner.take = async () => {
      if (away) throw new AppError('unavailable', 'store_away', 'The store is away.')
    }
    await deliver('x', 'y')
    await eventually(async () => states.includes('attention connection_lost'))
    expect(stored).toEqual([])
    away = false
    await has('x', 'y')
    expect(aside).toEqual([])
  })
})
