// What the product adds between the model's finished sentence and the customer: reading, proof, and the way to the browser.
// The provider is the local player in this process, which notes when each token was written; so is the customer's socket.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openPlayer } from '../../test/support/openai.mjs'
import { percentile } from './answer.mjs'
import { addDocuments, openChat } from './chat.mjs'
import { makeCorpus } from './corpus.mjs'
import { call, startServer } from './server.mjs'

const QUESTIONS = 100
const TOKEN_MS = 4

export const drafts = async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'helpdesk-bench-'))
  const player = await openPlayer({ behaviour: { kind: 'slow', firstTokenMs: 50, betweenTokensMs: TOKEN_MS } })
  const server = await startServer({
    dataDir,
    env: { OPENAI_BASE_URL: player.baseUrl, OPENAI_API_KEY: 'key-of-the-player', OPENAI_MODEL: 'player' },
  })
  const { documents, questions } = makeCorpus(10_000)
  await addDocuments(server.url, documents)
  const { channelKey } = await call(server.url, '/webchat/demo')

  const added = []
  const whole = []
  for (let at = 0; at < QUESTIONS + 10; at += 1) {
    const chat = await openChat(server.url, channelKey)
    player.forget()
    const { drafted, ms } = await chat.ask(/** @type {any} */ (questions[(at * 61) % questions.length]).text)
    chat.close()
    const [request] = player.requests
    const [shown] = drafted
    if (at < 10 || !request || shown === undefined) continue
    added.push(shown - finishedAt(request))
    whole.push(ms)
  }
  await server.stop()
  await player.close()
  rmSync(dataDir, { recursive: true, force: true })
  return {
    bench: 'sentence-to-client',
    questions: QUESTIONS,
    shown: added.length,
    addedP50Ms: percentile(added, 0.5),
    addedP95Ms: percentile(added, 0.95),
    addedMaxMs: percentile(added, 1),
    answerP50Ms: percentile(whole, 0.5),
    answerP95Ms: percentile(whole, 0.95),
  }
}

/** When the brace that ends the first sentence was written. @param {import('../../test/support/openai.d.mts').PlayedRequest} request */
const finishedAt = ({ tokens }) => {
  let text = ''
  for (const token of tokens) {
    text += token.text
    if (/"\s*\}\s*\]\s*\}/u.test(text)) return token.at
  }
  return NaN
}
