// A visitor's web chat, as the widget opens it: for measurements that begin and end at the customer.
import { randomUUID } from 'node:crypto'
import { io } from 'socket.io-client'
import { call } from './server.mjs'

/** @typedef {{ author: string, text: string, citations: object[], mode?: 'model' | 'extractive' }} Reply */

/**
 * `ask` resolves with the assistant's next message; `drafted` are the times (`performance.now()`) of the draft's sentences.
 * @param {string} url @param {string} channelKey
 */
export const openChat = async (url, channelKey) => {
  const { token } = await call(url, '/webchat/sessions', { body: { channelKey } })
  const socket = io(`${url}/webchat`, { auth: { token }, transports: ['websocket'] })
  await new Promise((resolve) => socket.once('connect', () => resolve(null)))
  return {
    /**
     * @param {string} text @param {number} withinMs
     * @returns {Promise<{ reply: Reply | null, ms: number, drafted: number[], withdrawn: number }>}
     */
    ask: (text, withinMs = 35_000) =>
      new Promise((resolve) => {
        /** @type {number[]} */
        const drafted = []
        let withdrawn = 0
        const sentAt = performance.now()
        const end = (/** @type {Reply | null} */ reply) => {
          clearTimeout(late)
          socket.off('message', onMessage)
          socket.off('answer.sentence', onSentence)
          socket.off('answer.withdrawn', onWithdrawn)
          resolve({ reply, ms: performance.now() - sentAt, drafted, withdrawn })
        }
        const onMessage = (/** @type {Reply} */ message) => message.author === 'assistant' && end(message)
        const onSentence = () => drafted.push(performance.now())
        const onWithdrawn = () => (withdrawn += 1)
        const late = setTimeout(() => end(null), withinMs)
        socket.on('message', onMessage)
        socket.on('answer.sentence', onSentence)
        socket.on('answer.withdrawn', onWithdrawn)
        socket.emit('message', { id: randomUUID(), text })
      }),
    close: () => void socket.close(),
  }
}

/** Adds the documents and waits until all are answered from. @param {string} url @param {readonly object[]} documents */
export const addDocuments = async (url, documents) => {
  for (const document of documents) await call(url, '/knowledge/documents', { body: document })
  for (let ready = false; !ready; ) {
    await new Promise((resolve) => setTimeout(resolve, 200))
    const open = await call(url, '/knowledge/documents?limit=200')
    ready = open.documents.every((/** @type {any} */ one) => one.status === 'ready')
  }
}
