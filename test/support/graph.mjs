// A local player of Meta's Graph API for one WhatsApp number, on a loopback port. It checks what Meta checks (token, proof of the
// secret, limits of lengths), remembers what it was asked, and can be told to misbehave.
// From a test: `const graph = await openGraph()`; the simulator and the bench use it too.
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'

/** @typedef {import('./graph.d.mts').GraphPart} GraphPart */
/** @typedef {import('./graph.d.mts').GraphRequest} GraphRequest */
/** @typedef {import('./graph.d.mts').KeptMedia} KeptMedia */
/** @typedef {import('node:http').ServerResponse} Response */

const REMEMBERED = 50_000

/** @type {import('./graph.d.mts').openGraph} */
export const openGraph = async ({
  port = 0,
  token = 'EAA-a-token-for-tests-only-0123456789',
  secret = '0123456789abcdef0123456789abcdef',
  phoneNumberId = '106540352242922',
  accountId = '102290129340398',
} = {}) => {
  /** @type {GraphRequest[]} */
  const requests = []
  /** @type {GraphPart[]} */
  let queue = []
  /** @type {GraphPart} */
  let always = { kind: 'good' }
  /** @type {Map<string, KeptMedia>} */
  const media = new Map()
  /** @type {object[]} */
  let templates = []
  /** @type {((message: any, id: string) => void)[]} */
  const listeners = []
  let tokenEndsAt = 0
  let numbered = 0

  const server = createServer(async (req, res) => {
    const chunks = []
    try {
      for await (const chunk of req) chunks.push(chunk)
    } catch {
      return
    }
    const raw = Buffer.concat(chunks)
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://graph')
    const isJson = String(req.headers['content-type'] ?? '').includes('json')
    /** @type {GraphRequest} */
    const request = {
      method: req.method ?? '',
      path: pathname.replace(/^\/v[\d.]+\//, ''),
      authorization: req.headers.authorization ?? null,
      body: isJson ? JSON.parse(raw.toString('utf8')) : raw.length > 0 ? raw.toString('latin1') : null,
      at: performance.now(),
    }
    if (requests.push(request) > REMEMBERED) requests.shift()
    if (request.path.startsWith('/files/')) return sendFile(request, res)
    const isSending = request.path === `${phoneNumberId}/messages` && request.body?.status !== 'read'
    const part = isSending ? (queue.shift() ?? always) : always.kind === 'offline' ? always : { kind: 'good' }
    if (misbehave(/** @type {GraphPart} */ (part), res)) return
    if (request.authorization !== `Bearer ${token}`) return fail(res, 401, 190, 'Error validating access token')
    const proof = createHmac('sha256', secret).update(token).digest('hex')
    if (searchParams.get('appsecret_proof') !== proof)
      return fail(res, 400, 100, 'Invalid appsecret_proof provided in the API argument')
    answer(request, searchParams, res)
  })

  /** @param {GraphPart} part @param {Response} res */
  const misbehave = (part, res) => {
    switch (part.kind) {
      case 'good':
        return false
      case 'error':
        fail(res, part.status ?? 400, part.code, 'as it was told to')
        return true
      case 'html':
        res.writeHead(part.status ?? 502, { 'content-type': 'text/html' }).end('<html>Bad gateway</html>')
        return true
      case 'hanging':
        return true
      case 'cut':
      case 'offline':
        res.destroy()
        return true
    }
  }

  /** @param {GraphRequest} request @param {URLSearchParams} query @param {Response} res */
  const answer = (request, query, res) => {
    const { path, body } = request
    if (path === 'debug_token') return json(res, { data: { is_valid: true, expires_at: tokenEndsAt } })
    if (path === phoneNumberId)
      return json(res, { id: phoneNumberId, display_phone_number: '+1 555 0100', verified_name: 'Northwind' })
    if (path === `${phoneNumberId}/messages`)
      return body.status === 'read' ? json(res, { success: true }) : message(body, res)
    if (path === `${phoneNumberId}/media`) {
      numbered += 1
      return json(res, { id: `70000000${numbered}` })
    }
    if (path === `${accountId}/message_templates`) return json(res, { data: templates })
    const kept = media.get(path)
    if (!kept || kept.gone) return fail(res, 400, 100, 'Unsupported get request')
    json(res, {
      messaging_product: 'whatsapp',
      id: path,
      url: kept.url ?? `${url}/files/${path}`,
      mime_type: kept.type,
      file_size: kept.size ?? kept.bytes.length,
    })
  }

  /** @param {any} body @param {Response} res */
  const message = (body, res) => {
    const text = body.text?.body ?? body.interactive?.body?.text ?? body.template?.name ?? body[body.type]?.id
    const isTooLong = body.text?.body?.length > 4096 || body.interactive?.body?.text?.length > 1024
    if (body.messaging_product !== 'whatsapp' || !(body.to || body.recipient) || !text || isTooLong)
      return fail(res, 400, 100, 'Invalid parameter')
    const id = `wamid.${randomBytes(18).toString('base64')}`
    json(res, { messaging_product: 'whatsapp', contacts: [{ input: body.to, wa_id: body.to }], messages: [{ id }] })
    for (const listener of listeners) listener(body, id)
  }

  /** @param {GraphRequest} request @param {Response} res */
  const sendFile = async ({ path, authorization }, res) => {
    const kept = media.get(path.slice('/files/'.length))
    if (authorization !== `Bearer ${token}`) return void res.writeHead(401).end()
    if (!kept || kept.gone || kept.expired) return void res.writeHead(404).end()
    if (kept.waitMs) await new Promise((resolve) => setTimeout(resolve, kept.waitMs))
    await kept.until
    const length = kept.claims ?? kept.bytes.length
    res.writeHead(200, { 'content-type': kept.type, 'content-length': length })
    if (kept.claims) return void res.write(kept.bytes)
    res.end(kept.bytes)
  }

  await new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(undefined)))
  const address = /** @type {import('node:net').AddressInfo} */ (server.address())
  const url = `http://127.0.0.1:${address.port}`

  return {
    url,
    settings: {
      phoneNumberId,
      accessToken: token,
      appSecret: secret,
      verifyToken: 'a word that we agreed on',
      graphUrl: url,
    },
    token,
    secret,
    phoneNumberId,
    accountId,
    requests,
    sent: () =>
      requests
        .filter(({ path, body }) => path === `${phoneNumberId}/messages` && body?.status !== 'read')
        .map(({ body }) => body),
    marked: () =>
      requests
        .filter(({ path, body }) => path === `${phoneNumberId}/messages` && body?.status === 'read')
        .map(({ body }) => body),
    behave: (part) => {
      always = part
      queue = []
    },
    script: (...parts) => void (queue = parts),
    keep: (id, kept) => {
      media.set(id, kept)
      return createHash('sha256').update(kept.bytes).digest('base64')
    },
    offer: (given) => void (templates = given),
    endToken: (at) => void (tokenEndsAt = at),
    onMessage: (listener) => void listeners.push(listener),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** @param {Response} res @param {object} body */
const json = (res, body) => void res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))

/** @param {Response} res @param {number} status @param {number} code @param {string} message */
const fail = (res, status, code, message) =>
  void res
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ error: { message, type: 'OAuthException', code, fbtrace_id: 'A' } }))
