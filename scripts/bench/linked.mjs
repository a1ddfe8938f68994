// A linked phone: outages, a refusing server, a long load, and kills while its keys change. `node scripts/bench/linked.mjs [name …]`
// prints one JSON line per measurement; `--messages`, `--seconds` and `--rounds` make them shorter or longer.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { pathToFileURL } from 'node:url'
import v8 from 'node:v8'
import vm from 'node:vm'
import ts from 'typescript'

const root = path.resolve(import.meta.dirname, '../..')
const dist = path.join(root, 'dist')
const MINUTE = 60_000
/** A day passes so much faster than ours. */
const FASTER = 60

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** What the tests play the phone with, as JavaScript over the built product. @param {string[]} names */
const buildSupport = (names) => {
  const folder = path.join(root, `node_modules/.cache/bench-linked-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 }
  for (const name of names) {
    const source = readFileSync(path.join(root, `test/support/${name}.ts`), 'utf8')
    const built = ts.transpileModule(source, { compilerOptions }).outputText
    writeFileSync(path.join(folder, `${name}.js`), built.replaceAll('../../src/', `${pathToFileURL(dist).href}/`))
  }
  return folder
}

const openDesk = async () => {
  const { startEmbeddedMongo } = await import(path.join(dist, 'embedded-mongo/index.js'))
  const folder = mkdtempSync(path.join(tmpdir(), 'helpdesk-linked-'))
  const listen = { socketPath: path.join(folder, 's.sock') }
  const store = await startEmbeddedMongo({ file: path.join(folder, 'store.db'), listen })
  process.env.TEST_MONGODB_URI = store.uri
  const support = buildSupport(['mongo', 'core', 'app', 'whatsapp-socket', 'whatsapp-linked'])
  const { openTestMongo } = await import(path.join(support, 'mongo.js'))
  const { openCore } = await import(path.join(support, 'core.js'))
  const { makePhone, textOf } = await import(path.join(support, 'whatsapp-socket.js'))
  const { openLinkedDesk } = await import(path.join(support, 'whatsapp-linked.js'))
  const mongo = await openTestMongo()
  const core = await openCore(mongo)
  const close = async () => {
    await mongo.close()
    await store.stop()
    rmSync(support, { recursive: true, force: true })
    rmSync(folder, { recursive: true, force: true })
  }
  return { mongo, core, makePhone, textOf, openLinkedDesk, close }
}

/**
 * Messages of 200 people, the assistant answering, and `outages` connections lost with codes of every kind; what was told last
 * before each is told again. @param {{ messages: number, outages: number }} options
 */
export const linkedOutages = async ({ messages, outages }) => {
  const { mongo, core, makePhone, textOf, openLinkedDesk, close } = await openDesk()
  const startedAt = Date.now()
  const clock = { now: () => new Date(startedAt + (Date.now() - startedAt) * FASTER) }
  const phone = makePhone()
  const desk = await openLinkedDesk(mongo, core, phone, { channelId: 'chn_bench', clock })
  core.channel.send = (/** @type {any} */ _origin, /** @type {any} */ message, /** @type {any} */ signal) =>
    desk.channel.send(message, signal)
  await desk.untilConnected()
  const alive = setInterval(() => phone.tell({ kind: 'alive' }), 200)
  const answering = answerAlong(core)
  const codes = [428, 408, 500, 503, 515, 440, null]
  const texts = []
  for (let n = 0; n < messages; n += 1) {
    const text = `Question ${n}: where is my parcel?`
    texts.push(text)
    phone.says(textOf({ number: `4915${String(n % 200).padStart(8, '1')}` }, text))
    if (n % Math.floor(messages / outages) === 7) phone.lose(codes[n % codes.length])
    if (n % 10 === 0) await pause(25)
  }
  const waitUntil = Date.now() + 5 * MINUTE
  let found = await desk.messages()
  const customers = (/** @type {any[]} */ all) => all.filter(({ author }) => author.kind === 'customer')
  while (customers(found).length < messages && Date.now() < waitUntil) {
    await pause(500)
    found = await desk.messages()
  }
  await desk.idle()
  await answering.stop()
  clearInterval(alive)
  found = await desk.messages()
  const seen = customers(found).map(({ text }) => text)
  const answers = found.filter(({ author }) => author.kind === 'assistant')
  const result = {
    bench: 'linked-outages',
    messages,
    outages,
    connections: phone.connections,
    lost: texts.filter((text) => !new Set(seen).has(text)).length,
    doubled: seen.length - new Set(seen).size,
    answers: answers.length,
    answeredTwice: twice(found),
    sentTwice: phone.sent.length - new Set(phone.sent.map(({ id }) => id)).size,
    seconds: Math.round((Date.now() - startedAt) / 1000),
  }
  await desk.stop()
  await close()
  return result
}

/** Two answers with no question in between. @param {any[]} messages in the order of their conversations */
const twice = (messages) =>
  messages.filter((message, index) => {
    const before = messages[index - 1]
    return (
      message.author.kind === 'assistant' &&
      before?.author.kind === 'assistant' &&
      before.conversationId === message.conversationId
    )
  }).length

/** Does what is woken, one job of a conversation at a time. @param {any} core */
const answerAlong = (core) => {
  let running = true
  const work = (async () => {
    while (running || core.woken.length > 0) {
      const jobs = new Map(core.woken.splice(0, 200).map((/** @type {any} */ job) => [job.job + job.id, job]))
      await Promise.all(
        [...jobs.values()].map(({ job, companyId, id }) =>
          core[job](companyId, id).catch(() => core.woken.push({ job, companyId, id })),
        ),
      )
      if (jobs.size === 0) await pause(20)
    }
  })()
  return {
    stop: () => {
      running = false
      return work
    },
  }
}

/** Connection attempts per minute of a server that refuses everybody, by the rules alone. */
export const linkedRefused = async () => {
  const { begin, step } = await import(path.join(dist, 'channels/whatsapp/linked/connection.js'))
  const perMinute = []
  for (let luck = 0; luck < 200; luck += 1) {
    let state = begin(0, true)
    const connects = []
    for (let now = 0; now < 60 * MINUTE; now += 500) {
      const ticked = step(state, { kind: 'tick' }, now, Math.random())
      state = ticked.state
      if (ticked.action !== 'connect') continue
      connects.push(now)
      state = step(state, { kind: 'open' }, now, Math.random()).state
      state = step(state, { kind: 'closed', code: 428 }, now, Math.random()).state
    }
    for (let minute = 5; minute < 60; minute += 1)
      perMinute.push(connects.filter((at) => at >= minute * MINUTE && at < (minute + 1) * MINUTE).length)
  }
  const mean = perMinute.reduce((sum, count) => sum + count, 0) / perMinute.length
  return { bench: 'linked-refused', mostPerMinute: Math.max(...perMinute), meanPerMinute: Number(mean.toFixed(2)) }
}

/** As many may be told and not yet taken in: on a machine that is too slow the rate is lower, and said, and nothing piles up. */
const MOST_WAITING = 1_000

/**
 * So many messages a second, or as many as this machine takes in. The slope is that of the heap after collection, by least squares over
 * the last two thirds. @param {{ perSecond: number, seconds: number }} options
 */
export const linkedLoad = async ({ perSecond, seconds }) => {
  const { mongo, core, makePhone, textOf, openLinkedDesk, close } = await openDesk()
  const phone = makePhone()
  const desk = await openLinkedDesk(mongo, core, phone, { channelId: 'chn_load' })
  core.settings.paused = true
  await desk.untilConnected()
  // As every frame of a real connection does; without, it counts as dead after a while, whatever it tells.
  const alive = setInterval(() => phone.tell({ kind: 'alive' }), 200)
  v8.setFlagsFromString('--expose-gc')
  const collect = vm.runInNewContext('gc')
  /** @type {{ at: number, bytes: number }[]} */
  const heap = []
  const startedAt = Date.now()
  let said = 0
  let takenIn = 0
  let held = 0
  let measuredAt = 0
  while (Date.now() - startedAt < seconds * 1000) {
    const at = Date.now() - startedAt
    const due = Math.floor((at / 1000) * perSecond) - held
    for (; said < due && said - takenIn - desk.arrivals.length < MOST_WAITING; said += 1)
      phone.says(textOf({ number: `4915${String(said % 500).padStart(8, '1')}` }, `Message ${said}`))
    held += due - said
    if (at - measuredAt > 5_000) {
      measuredAt = at
      takenIn += desk.arrivals.length
      core.woken.length = 0
      core.events.length = 0
      desk.arrivals.length = 0
      collect()
      heap.push({ at, bytes: process.memoryUsage().heapUsed })
    }
    await pause(20)
  }
  const behindMs = Date.now()
  await desk.idle()
  const drainMs = Date.now() - behindMs
  clearInterval(alive)
  const stored = await mongo.db.collection('messages').countDocuments({ 'author.kind': 'customer' })
  const late = heap.slice(Math.floor(heap.length / 3))
  const slope = slopeOf(late.map(({ at, bytes }) => [at / MINUTE, bytes]))
  await desk.stop()
  await close()
  return {
    bench: 'linked-load',
    perSecond,
    seconds,
    said,
    perSecondReached: Math.round(said / seconds),
    lost: said - stored,
    drainMs,
    heapStartMb: Number(((late[0]?.bytes ?? 0) / 1e6).toFixed(1)),
    heapEndMb: Number(((late.at(-1)?.bytes ?? 0) / 1e6).toFixed(1)),
    slopeMbPerMinute: Number((slope / 1e6).toFixed(2)),
  }
}

/** Of the line that fits best. @param {[number, number][]} points */
const slopeOf = (points) => {
  const mean = (/** @type {0 | 1} */ which) => points.reduce((sum, point) => sum + point[which], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
  return spread === 0 ? 0 : points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread
}

const KEYS_OF_A_BATCH = ['a', 'b', 'c', 'd']

/** What a process that is killed was doing: batches of keys that belong together, a thousand if it lives so long. */
const keyWriter = (/** @type {string} */ folder) => `
  import { MongoClient } from 'mongodb'
  import { startEmbeddedMongo } from ${JSON.stringify(path.join(dist, 'embedded-mongo/index.js'))}
  import { makeMemories } from ${JSON.stringify(path.join(dist, 'channels/memory.mongo.js'))}
  import { openSessionKeys } from ${JSON.stringify(path.join(dist, 'channels/whatsapp/linked/session-keys.js'))}
  import { makeSecrets } from ${JSON.stringify(path.join(dist, 'platform/secrets.js'))}
  const folder = ${JSON.stringify(folder)}
  const store = await startEmbeddedMongo({ file: folder + '/store.db', listen: { socketPath: folder + '/s.sock' } })
  const client = await new MongoClient(store.uri, { writeConcern: { w: 'majority', journal: true } }).connect()
  const memory = makeMemories({ client, db: client.db('keys') }).of({ companyId: 'acme', id: 'chn_1' })
  const keys = await openSessionKeys({ channelId: 'chn_1', memory, secrets: makeSecrets('k'.repeat(40)) })
  if (!keys.identity) await keys.begin({ noiseKey: 'n', signedIdentityKey: 's', account: 'linked', counter: 0 })
  const names = ${JSON.stringify(KEYS_OF_A_BATCH)}
  const found = await keys.get('session', names)
  const counters = names.map((name) => (found[name] ? found[name].readUInt32BE() : 0))
  console.log(JSON.stringify({ counter: keys.identity.counter, counters }))
  for (let counter = keys.identity.counter + 1; counter < keys.identity.counter + 1_000_000; counter += 1) {
    keys.identity.counter = counter
    const value = Buffer.alloc(600)
    value.writeUInt32BE(counter)
    await keys.set({ session: Object.fromEntries(names.map((name) => [name, value])), 'pre-key': { [counter]: 'k', [counter - 50]: null } })
    console.log(JSON.stringify({ done: counter }))
  }
`

/** kill -9 while keys change: the next process opens the session, whole, and with all that was acknowledged. @param {{ rounds: number }} options */
export const linkedKills = async ({ rounds }) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'helpdesk-keys-'))
  const result = { bench: 'linked-kills', rounds, opened: 0, torn: 0, lost: 0, updates: 0 }
  let acknowledged = 0
  for (let round = 0; round <= rounds; round += 1) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', keyWriter(folder)], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    const lines = createInterface({ input: child.stdout })
    let opened = false
    lines.on('line', (line) => {
      const { done, counter, counters } = JSON.parse(line)
      if (done !== undefined) return void (acknowledged = done)
      opened = true
      if (round > 0) result.opened += 1
      if (counters.some((/** @type {number} */ each) => each !== counter)) result.torn += 1
      if (counter < acknowledged) result.lost += 1
    })
    const from = Date.now()
    while (!opened && child.exitCode === null && Date.now() - from < 30_000) await pause(10)
    if (round < rounds) await pause(150 + Math.random() * 500)
    child.kill('SIGKILL')
    await exited
  }
  result.updates = acknowledged
  rmSync(folder, { recursive: true, force: true })
  return result
}

if (process.argv[1] === import.meta.filename) {
  const { values, positionals } = parseArgs({
    options: {
      messages: { type: 'string', default: '5000' },
      outages: { type: 'string', default: '20' },
      seconds: { type: 'string', default: '600' },
      rounds: { type: 'string', default: '50' },
    },
    allowPositionals: true,
  })
  /** @type {Record<string, () => Promise<object>>} */
  const benches = {
    refused: linkedRefused,
    kills: () => linkedKills({ rounds: Number(values.rounds) }),
    outages: () => linkedOutages({ messages: Number(values.messages), outages: Number(values.outages) }),
    load: () => linkedLoad({ perSecond: 200, seconds: Number(values.seconds) }),
  }
  for (const name of positionals.length > 0 ? positionals : Object.keys(benches)) {
    const bench = benches[name]
    if (bench) console.log(JSON.stringify(await bench()))
  }
}
