import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { MongoBackend, MongoChangeStreamNotificationChannel } from '@agendajs/mongo-backend'
import { Agenda } from 'agenda'
import { betterAuth } from 'better-auth'
import { mongodbAdapter } from 'better-auth/adapters/mongodb'
import { organization } from 'better-auth/plugins'
import { Collection } from 'mongodb'
import { once } from 'node:events'
import { RateLimiterMongo } from 'rate-limiter-flexible'
import { eventually } from '../support/app.js'
import { type OpenStore, openStore, refusal } from './store.js'

let store: OpenStore
beforeAll(async () => {
  store = await openStore()
})
afterAll(() => store.close())

describe('the libraries on the store', () => {
  it('agenda runs each job once over two workers that are woken by the change stream', async () => {
    const { db } = store
    const runs = new Map<number, number>()
    const start = async (): Promise<Agenda> => {
      const agenda = new Agenda({
        backend: new MongoBackend({ mongo: db }),
        notificationChannel: new MongoChangeStreamNotificationChannel({ db }),
        processEvery: 60_000,
        logging: true,
      })
      agenda.define('work', async (job) => {
        const { n } = job.attrs.data as { n: number }
        runs.set(n, (runs.get(n) ?? 0) + 1)
      })
      await agenda.start()
      return agenda
    }
    // Agenda does not wait until its stream is open, and what is written before that it never hears of.
    const opened: Promise<unknown>[] = []
    const watch = Collection.prototype.watch
    const watching = jest.spyOn(Collection.prototype, 'watch').mockImplementation(function (
      this: Collection,
      ...given
    ) {
      const stream = watch.apply(this, given)
      opened.push(once(stream, 'resumeTokenChanged'))
      return stream
    })
    const workers = [await start(), await start()]
    watching.mockRestore()
    await Promise.all(opened)
    expect(opened).toHaveLength(2)
    for (let n = 0; n < 20; n++) await workers[0]!.now('work', { n })
    await eventually(async () => runs.size === 20)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect([...runs.values()]).toEqual(Array.from({ length: 20 }, () => 1))
    expect((await workers[0]!.queryJobs({ name: 'work' })).total).toBe(20)
    for (const worker of workers) await worker.stop()
  })

  it('better-auth signs up, in and out, and keeps organisations', async () => {
    const auth = betterAuth({
      secret: 'a secret of the tests that is long enough',
      baseURL: 'http://localhost:3000',
      database: mongodbAdapter(store.db, { client: store.client }),
      emailAndPassword: { enabled: true },
      plugins: [organization()],
      logger: { disabled: true },
    })
    const person = { email: 'ann@example.com', password: 'correct horse battery', name: 'Ann' }
    const signedUp = await auth.api.signUpEmail({ body: person, asResponse: true })
    const headers = new Headers({ cookie: signedUp.headers.get('set-cookie')!.split(';')[0]! })
    expect((await auth.api.getSession({ headers }))?.user.email).toBe(person.email)
    const company = await auth.api.createOrganization({ body: { name: 'Acme', slug: 'acme' }, headers })
    const full = await auth.api.getFullOrganization({ query: { organizationId: company.id }, headers })
    expect(full?.members.length).toBe(1)
    expect((await auth.api.signInEmail({ body: person })).user.name).toBe('Ann')
    await refusal(auth.api.signInEmail({ body: { ...person, password: 'something else' } }))
    await refusal(auth.api.signUpEmail({ body: person }))
    await auth.api.signOut({ headers })
    expect(await auth.api.getSession({ headers })).toBeNull()
  })

  it('rate-limiter-flexible counts', async () => {
    const limiter = new RateLimiterMongo({ storeClient: store.client, dbName: 'limits', points: 3, duration: 10 })
    for (let i = 0; i < 3; i++) await limiter.consume('visitor')
    await expect(limiter.consume('visitor')).rejects.toMatchObject({ remainingPoints: 0 })
  })
})
