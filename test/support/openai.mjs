// A local player of OpenAI: the protocol on a loopback port, and a part to play that can be changed at any time.
// From a test: `const player = await openPlayer()`; by hand: `node test/support/openai.mjs --port 8090 --behaviour good`, then
// `curl -X PUT localhost:8090/player -d '{"kind":"stalling","tokens":3}'` and `curl localhost:8090/player` for what was asked.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { pathToFileURL } from 'node:url'
import { embeddingOf } from './openai-embedding.mjs'
import { speechOf } from './openai-parts.mjs'
import { saidIn } from './recordings.mjs'

/** @typedef {import('./openai.d.mts').Behaviour} Behaviour */
/** @typedef {import('./openai.d.mts').Part} Part */
/** @typedef {import('./openai.d.mts').PlayedRequest} PlayedRequest */
/** @typedef {import('node:http').ServerResponse} Response */

/** More than the sockets' buffers hold between them: who does not read on is seen to stop. */
const LINE_BYTES = 64 * 1024 * 1024
/** What is remembered of a long run. */
const REMEMBERED = 10_000
/** Tokens of an answer whose times are kept. */
const TIMED = 300

/** @param {{ port?: number, behaviour?: Behaviour, dimensions?: number }} [options] */
export const openPlayer = async ({ port = 0, behaviour = 'good', dimensions = 384 } = {}) => {
  /** @type {PlayedRequest[]} */
  const requests = []
  /** @type {Behaviour[]} */
  let queue = []
  let received = 0

  const server = createServer(async (req, res) => {
    const chunks = []
    try {
      for await (const chunk of req) chunks.push(chunk)
    } catch {
      return
    }
    const raw = Buffer.concat(chunks)
    const text = raw.toString('utf8')
    if (req.url === '/player') return control(req.method ?? '', text, res)
    const request = note(req, text)
    if (request.kind === 'transcription') request.body = await formOf(req, raw)
    if (requests.push(request) > REMEMBERED) requests.shift()
    received += 1
    res.on('close', () => {
      if (res.writableFinished) request.finishedAt = performance.now()
      else request.closedAt = performance.now()
    })
    const chosen = queue.shift() ?? behaviour
    const asked = typeof chosen === 'function' ? await chosen(request) : chosen
    const part = typeof asked === 'string' ? { kind: asked } : asked
    request.played = part.kind
    await play(request, part, res, dimensions)
  })

  /** @param {string} method @param {string} text @param {Response} res */
  const control = (method, text, res) => {
    if (method === 'PUT') {
      behaviour = JSON.parse(text)
      queue = []
    }
    sendJson(res, 200, {
      behaviour: typeof behaviour === 'function' ? 'scripted' : behaviour,
      received,
      requests: requests.map(({ body: _body, ...rest }) => rest),
    })
  }

  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  return {
    url,
    baseUrl: `${url}/v1`,
    requests,
    /** All requests since the start, also those that are no longer remembered. */
    received: () => received,
    /** From now on. @param {Behaviour} next */
    behave: (next) => {
      behaviour = next
      queue = []
    },
    /** One behaviour per request that comes next, then the lasting one again. @param {Behaviour[]} next */
    script: (...next) => void queue.push(...next),
    forget: () => {
      requests.length = 0
      received = 0
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** @param {import('node:http').IncomingMessage} req @param {string} text @returns {PlayedRequest} */
const note = (req, text) => {
  /** @type {any} */
  let body = {}
  try {
    body = JSON.parse(text)
  } catch {
    // A body that is not JSON is noted as an empty one.
  }
  const path = req.url ?? ''
  const kind = path.endsWith('/chat/completions')
    ? 'chat'
    : path.endsWith('/embeddings')
      ? 'embeddings'
      : path.endsWith('/audio/transcriptions')
        ? 'transcription'
        : 'other'
  return {
    path,
    kind,
    schema: body.response_format?.json_schema?.name ?? null,
    authorization: req.headers.authorization ?? null,
    body,
    played: '',
    at: performance.now(),
    firstTokenAt: null,
    tokens: [],
    finishedAt: null,
    closedAt: null,
  }
}

/** @param {PlayedRequest} request @param {Part} part @param {Response} res @param {number} dimensions */
const play = async (request, part, res, dimensions) => {
  switch (part.kind) {
    case 'hanging':
      if (part.headers) openStream(res)
      return
    case 'limited':
      return sendFault(res, 429, 'rate_limit_exceeded', {
        ...(part.retryAfter === undefined ? {} : { 'retry-after': String(part.retryAfter) }),
      })
    case 'failing':
      return sendFault(res, part.status ?? 500, 'server_error')
    case 'refusing':
      return sendFault(res, part.status ?? 400, part.code ?? 'invalid_request_error', {}, part.param)
    case 'cut':
      if (part.when === undefined || part.when === 'before_headers') return void res.socket?.destroy()
      break
    case 'garbage':
      if (part.what === 'html') return sendText(res, 'text/html', '<html><body>Bad gateway</body></html>')
      if (part.what === 'broken_frames')
        return sendText(res, 'text/event-stream', 'data: {"choices": [oops\n\ndata: [DONE]\n\n')
      if (part.what === 'one_line') return endlessLine(res)
      break
    default:
  }
  if (request.kind === 'embeddings') return embed(request, part, res, dimensions)
  if (request.kind === 'chat') return chat(request, part, res)
  if (request.kind === 'transcription') return transcribe(request, part, res)
  if (request.path.endsWith('/models')) {
    return sendJson(res, 200, { object: 'list', data: [{ id: 'player', object: 'model', owned_by: 'nobody' }] })
  }
  return sendFault(res, 404, 'not_found')
}

/** @param {PlayedRequest} request @param {Part} part @param {Response} res @param {number} dimensions */
const embed = async ({ body }, part, res, dimensions) => {
  if (part.kind === 'slow') await pause(part.firstTokenMs ?? 0)
  if (part.kind === 'cut') return void res.socket?.destroy()
  const wanted = body.dimensions ?? dimensions
  const texts = [body.input].flat()
  const wrong = part.kind === 'garbage' ? (part.what ?? 'not_json') : null
  if (wrong === 'not_json') return sendText(res, 'application/json', 'Here are your numbers: 1, 2, 3')
  const vectors = texts.map((text) => {
    if (wrong === 'wrong_schema') return Array.from({ length: wanted }, () => NaN)
    return embeddingOf(String(text), wrong === 'digits' ? wanted - 1 : wanted)
  })
  if (wrong === 'endless') vectors.push(...Array.from({ length: 6_000 }, () => embeddingOf('more', wanted)))
  const data = vectors.map((vector, index) => ({
    object: 'embedding',
    index,
    embedding:
      body.encoding_format === 'base64'
        ? Buffer.from(Float32Array.from(vector).buffer).toString('base64')
        : [...vector],
  }))
  const tokens = texts.reduce((sum, text) => sum + tokensOf(String(text)).length, 0)
  const usage = { prompt_tokens: tokens, total_tokens: tokens }
  sendJson(res, 200, { object: 'list', model: body.model, data, usage })
}

/** The form of a recording: its model, and its file with what is said in it. @param {import('node:http').IncomingMessage} req @param {Buffer} raw */
const formOf = async (req, raw) => {
  const headers = { 'content-type': req.headers['content-type'] ?? '' }
  const form = await new Response(Uint8Array.from(raw), { headers }).formData().catch(() => new FormData())
  const file = form.get('file')
  if (typeof file === 'string' || file === null) return { model: form.get('model') }
  const bytes = Buffer.from(await file.arrayBuffer())
  return { model: form.get('model'), name: file.name, bytes: bytes.length, said: saidIn(bytes) }
}

/** @param {PlayedRequest} request @param {Part} part @param {Response} res */
const transcribe = async ({ body }, part, res) => {
  if (part.kind === 'slow') await pause(part.firstTokenMs ?? 0)
  if (part.kind === 'stalling') return void res.writeHead(200, { 'content-type': 'application/json' }).write('{"te')
  if (part.kind === 'cut') return void res.socket?.destroy()
  const wrong = part.kind === 'garbage' ? (part.what ?? 'not_json') : null
  if (wrong === 'endless') return sendText(res, 'application/json', `{"text":"${'and so on '.repeat(100_000)}"}`)
  if (wrong === 'empty') return sendJson(res, 200, { text: '' })
  if (wrong === 'wrong_schema') return sendJson(res, 200, { words: [] })
  if (wrong) return sendText(res, 'application/json', 'Somebody says something')
  if (!body.said) return sendFault(res, 400, 'invalid_request_error')
  sendJson(res, 200, { text: body.said.text, usage: { type: 'duration', seconds: body.said.seconds } })
}

/** @param {PlayedRequest} request @param {Part} part @param {Response} res */
const chat = async (request, part, res) => {
  const { body } = request
  const said = part.kind === 'garbage' && part.what === 'endless' ? endlessTokens() : tokensOf(speechOf(request, part))
  const limit = body.max_completion_tokens ?? body.max_tokens ?? Infinity
  const endless = part.kind === 'garbage' && part.what === 'endless'
  const tokens = endless ? said : said.slice(0, limit)
  const finish = tokens.length < said.length ? 'length' : 'stop'
  const asked = tokensOf(JSON.stringify(body.messages ?? [])).length
  const usage = { prompt_tokens: asked, completion_tokens: tokens.length, total_tokens: asked + tokens.length }
  const head = { id: 'chatcmpl-player', created: 1_700_000_000, model: body.model }
  const firstTokenMs = part.kind === 'slow' ? (part.firstTokenMs ?? 0) : 0
  const betweenTokensMs = part.kind === 'slow' ? (part.betweenTokensMs ?? 0) : 0

  if (!body.stream) {
    await pause(firstTokenMs + betweenTokensMs * tokens.length)
    if (part.kind === 'stalling') return void res.writeHead(200, { 'content-type': 'application/json' }).write('{"id"')
    if (part.kind === 'cut') return void res.socket?.destroy()
    const message = { role: 'assistant', content: tokens.join(''), refusal: null }
    return sendJson(res, 200, {
      ...head,
      object: 'chat.completion',
      choices: [{ index: 0, message, finish_reason: finish, logprobs: null }],
      usage,
    })
  }

  /** @param {object[]} choices @param {object} [more] */
  const frame = (choices, more = {}) =>
    `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })}\n\n`
  /** @param {object} delta @param {string | null} reason */
  const choice = (delta, reason = null) => [{ index: 0, delta, logprobs: null, finish_reason: reason }]

  if (firstTokenMs > 0) await pause(firstTokenMs)
  openStream(res)
  res.write(frame(choice({ role: 'assistant', content: '', refusal: null })))
  if (part.kind === 'cut' && part.when === 'before_first_token') return void (await flushAndDestroy(res))
  const broken = part.kind === 'stalling' || part.kind === 'cut' ? (part.tokens ?? 3) : Infinity
  for (const [index, token] of tokens.entries()) {
    if (res.destroyed) return
    if (index === broken) break
    if (index > 0 && betweenTokensMs > 0) await pause(betweenTokensMs)
    request.firstTokenAt ??= performance.now()
    if (index < TIMED) request.tokens.push({ text: token, at: performance.now() })
    if (!res.write(frame(choice({ content: token })))) await Promise.race([once(res, 'drain'), once(res, 'close')])
  }
  if (part.kind === 'stalling') return
  if (part.kind === 'cut') return part.when === 'clean' ? void res.end() : void (await flushAndDestroy(res))
  res.write(frame(choice({}, finish)))
  if (body.stream_options?.include_usage) res.write(frame([], { usage }))
  res.end('data: [DONE]\n\n')
}

/** @param {Response} res */
const openStream = (res) => {
  res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  res.flushHeaders()
}

/** What was written arrives before the line breaks. @param {Response} res */
const flushAndDestroy = async (res) => {
  await pause(20)
  res.socket?.destroy()
}

/** @param {Response} res @param {number} status @param {object} body @param {Record<string, string>} [headers] */
const sendJson = (res, status, body, headers = {}) => {
  res.writeHead(status, { 'content-type': 'application/json', ...headers })
  res.end(JSON.stringify(body))
}

/** @param {Response} res @param {string} type @param {string} text */
const sendText = (res, type, text) => void res.writeHead(200, { 'content-type': type }).end(text)

/** @param {Response} res @param {number} status @param {string} code @param {Record<string, string>} [headers] @param {string} [param] */
const sendFault = (res, status, code, headers = {}, param) =>
  sendJson(
    res,
    status,
    {
      error: {
        message: `The player refuses${param ? `: '${param}' is not supported` : ''}.`,
        type: code,
        param: param ?? null,
        code,
      },
    },
    headers,
  )

/** Ten megabytes and more of a sentence that never ends. */
const endlessTokens = () => [
  '{"sentences":[{"text":"',
  ...Array.from({ length: 40_000 }, () => 'So it goes on. '.repeat(20)),
]

/** @param {Response} res */
const endlessLine = async (res) => {
  openStream(res)
  res.write('data: ')
  const piece = 'x'.repeat(64 * 1024)
  for (let sent = 0; sent < LINE_BYTES && !res.destroyed; sent += piece.length) {
    if (!res.write(piece)) await Promise.race([once(res, 'drain'), once(res, 'close')])
  }
  res.end()
}

/** Pieces of about four characters, as tokens are. @param {string} text */
const tokensOf = (text) => text.match(/\s*\S{1,4}|\s+$/gu) ?? []

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const option = (/** @type {string} */ name) => {
    const at = process.argv.indexOf(`--${name}`)
    return at === -1 ? undefined : process.argv[at + 1]
  }
  const behaviour = /** @type {Behaviour} */ (option('behaviour') ?? 'good')
  const { url, baseUrl } = await openPlayer({ port: Number(option('port') ?? 8090), behaviour })
  console.log(`The player of OpenAI listens at ${baseUrl}; PUT ${url}/player changes its part`)
}
