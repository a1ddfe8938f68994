import type { AnswerSentence, AnswerWithdrawn, ChatMessage, Standing } from '../frames.js'
import { connectLive, type Live } from './live.js'
import type { Memory } from './memory.js'
import { makeOutbox, type Unsent } from './outbox.js'
import type { Answer, Identity, Read, Server } from './server.js'
import type { SentFile } from './uploads.js'

/**
 * The conversation as this page knows it. The server's messages are the truth, live frames are hints: after every gap what
 * was missed is fetched. Nothing here touches the page.
 */

export type Draft = {
  draftId: string
  conversationId: string
  sentences: string[]
  citations: ChatMessage['citations']
}

export type ChatState = {
  /** Why there is no chat: its key is unknown, it was closed, or this site may not carry it. */
  gone: string | null
  /** The server cannot be reached at this moment. */
  away: boolean
  /** An earlier conversation could not be continued: what is shown of it is all there is. */
  restarted: boolean
  /** What was said before is here. */
  loaded: boolean
  messages: ChatMessage[]
  unsent: Unsent[]
  /** Sentences of an answer that is still being written. */
  draft: Draft | null
  standing: Standing
  unread: number
}

type Session = { token: string | null; identity: string | null }

type Needs = { server: Server; memory: Memory; base: string; lockName: string; changed(state: ChatState): void }

const NOBODY_YET: Standing = { handler: 'assistant', agent: null, working: false, askEmail: false }
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000
/** How often the chat asks when there is no live connection and somebody looks at it. */
const ASK_EVERY_MS = 4_000
/** A channel that was closed, or a site that was not allowed, may be again. */
const GONE_PAUSE_MS = 60_000

export const makeChat = ({ server, memory, base, lockName, changed }: Needs) => {
  const outbox = makeOutbox(memory)
  const session = (): Session => memory.read<Session>('') ?? { token: null, identity: null }
  let state: ChatState = {
    gone: null,
    away: false,
    restarted: false,
    loaded: false,
    messages: [],
    unsent: outbox.all(),
    draft: null,
    standing: NOBODY_YET,
    unread: 0,
  }
  let identity: Identity | null = null
  /** Whose messages are shown. */
  let shownFor = session().identity
  let live: Live | null = null
  /** Connected, and all that was said before is here. */
  let isLive = false
  /** Connections so far, and which of them is up; 0: none. */
  let lines = 0
  let line = 0
  /** The last message up to which none is missing. */
  let upTo: string | undefined
  /** How often the live connection said who has the conversation. */
  let heard = 0
  let watched = false
  let failures = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false

  const set = (change: Partial<ChatState>): void => {
    if (stopped) return
    state = { ...state, ...change }
    const unread = unreadIn(state.messages, memory.read<string>(':read'))
    state.unread = watched ? 0 : unread
    const last = state.messages.at(-1)
    if (watched && unread > 0 && last) memory.write(':read', last.id)
    changed(state)
  }

  // --- what the server's outcomes mean for the whole chat

  /** True when it is worth going on at once. */
  const failed = (answer: Exclude<Answer<unknown>, { ok: true }>): boolean => {
    if (answer.kind !== 'away') failures = 0
    set({ away: answer.kind === 'away' })
    switch (answer.kind) {
      case 'away':
        later(Math.max(answer.retryAfterMs, Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures)))
        failures += 1
        return false
      case 'signed_out':
        hangUp()
        if (answer.code === 'channel_gone') return gone(answer.code)
        memory.write('', { ...session(), token: null })
        upTo = undefined
        // Whoever the site names is the same visitor again; anybody else begins anew.
        set({ restarted: session().identity === null && state.messages.length > 0, standing: NOBODY_YET, draft: null })
        return true
      case 'refused':
        return GONE.has(answer.code) ? gone(answer.code) : true
    }
  }

  const gone = (code: string): false => {
    hangUp()
    set({ gone: code, loaded: true })
    later(GONE_PAUSE_MS)
    return false
  }

  const reached = (): void => {
    failures = 0
    if (state.away || state.gone) set({ away: false, gone: null })
  }

  const later = (ms: number): void => {
    clearTimeout(timer)
    if (!stopped) timer = setTimeout(() => void proceed(), ms * (0.75 + Math.random() / 2))
  }

  // --- session

  const tokenOrNew = (): Promise<string | null> => {
    const { token } = session()
    return token ? Promise.resolve(token) : alone(`${lockName}:open`, tokenFor)
  }

  const tokenFor = async (): Promise<string | null> => {
    // Another tab may have been faster.
    const { token } = session()
    if (token) return token
    const who = identity
    const opened = await server.open(who)
    // The page said meanwhile that it is somebody else: this session is nobody's.
    if (who !== identity) return tokenFor()
    if (opened.ok) {
      reached()
      memory.write('', { token: opened.body.token, identity: verifiedId(who) } satisfies Session)
      return opened.body.token
    }
    if (opened.kind === 'refused' && opened.code.startsWith('identity_')) {
      // eslint-disable-next-line no-console -- for who builds the page
      console.warn(`Helpdesk: ${opened.message} The visitor stays anonymous.`)
      const { id: _id, hash: _hash, ...claimed } = who ?? {}
      identity = claimed
      return tokenFor()
    }
    failed(opened)
    return null
  }

  // --- reading

  const read = async (): Promise<void> => {
    const token = session().token ?? (verifiedId(identity) ? await tokenOrNew() : null)
    if (!token) return set({ loaded: true })
    const heardBefore = heard
    const lineBefore = line
    const answer = await server.read(token, upTo)
    // It was for whoever this page spoke for before.
    if (token !== session().token) return
    if (!answer.ok) {
      if (answer.kind === 'refused' && answer.code === 'message_not_found' && upTo) {
        upTo = undefined
        return read()
      }
      if (failed(answer)) set({ loaded: true })
      return
    }
    reached()
    // What came live meanwhile is newer than what was read.
    take(heard === heardBefore ? answer.body : { ...answer.body, standing: state.standing })
    // What was asked before the line was up may lack what was said until then.
    if (line !== 0 && line === lineBefore) isLive = true
    follow(answer.body.token ?? token)
  }

  const take = ({ messages, standing, token }: Read): void => {
    if (token) memory.write('', { ...session(), token })
    upTo = messages.at(-1)?.id ?? upTo
    show(messages, { standing, loaded: true })
  }

  /** Puts messages where they belong, each once, and takes out of the outbox what has arrived. */
  const show = (arrived: readonly ChatMessage[], more: Partial<ChatState> = {}): void => {
    for (const { clientId } of arrived) if (clientId) outbox.remove(clientId)
    const said = arrived.some(({ author }) => author !== 'customer')
    set({
      messages: arrived.reduce(placed, state.messages),
      unsent: outbox.all(),
      ...(said ? { draft: null } : {}),
      ...more,
    })
  }

  const follow = (token: string): void => {
    if (live || stopped) return
    live = connectLive(base, token, {
      up: () => {
        lines += 1
        line = lines
        isLive = false
        void read()
      },
      down: () => {
        line = 0
        isLive = false
        set({ draft: null })
        later(0)
      },
      refused: (code) => {
        live = null
        if (failed({ ok: false, kind: 'signed_out', code })) void proceed()
      },
      event: (name, payload) => {
        switch (name) {
          case 'message':
            if (isLive) upTo = (payload as ChatMessage).id
            return show([payload as ChatMessage])
          case 'standing':
            heard += 1
            return set({ standing: payload as Standing })
          case 'answer.sentence':
            return set({ draft: continued(state.draft, payload as AnswerSentence) })
          case 'answer.withdrawn':
            if (state.draft?.draftId === (payload as AnswerWithdrawn).draftId) set({ draft: null })
        }
      },
    })
  }

  const hangUp = (): void => {
    live?.stop()
    live = null
    line = 0
    isLive = false
  }

  // --- writing

  /** One message after the other, from one tab at a time, so that they arrive in the order in which they were written. */
  const flush = (): Promise<boolean> =>
    alone(`${lockName}:send`, async () => {
      for (let next = outbox.next(); next && !stopped; next = outbox.next()) {
        const token = await tokenOrNew()
        if (!token) return false
        const answer = await server.write(token, {
          id: next.id,
          text: next.text,
          ...(next.files ? { attachments: Object.values(next.files).map(({ ticket }) => ticket) } : {}),
        })
        if (answer.ok) {
          reached()
          outbox.remove(next.id)
          if (token === session().token) acknowledged(next, answer.body.messageId)
          follow(session().token ?? token)
        } else if (!failed(answer)) return false
        else if (answer.kind === 'refused') {
          outbox.refuse(next.id, answer.message)
          set({ unsent: outbox.all() })
        }
      }
      return true
    })

  /** Shown as sent at once; the message itself follows, or was there before. */
  const acknowledged = ({ text, files = {} }: Unsent, messageId: string): void => {
    const last = state.messages.at(-1)
    const known = state.messages.some((message) => message.id === messageId)
    const sent: ChatMessage = {
      id: messageId,
      conversationId: last?.conversationId ?? '',
      seq: (last?.seq ?? 0) + 1,
      author: 'customer',
      text:
        text ||
        Object.values(files)
          .map(({ name }) => name)
          .join(', '),
      citations: [],
      at: '',
    }
    set({ unsent: outbox.all(), messages: known ? state.messages : [...state.messages, sent] })
  }

  /** Does what is due: sends, reads, and looks again while there is no live connection and somebody is waiting. */
  const proceed = async (): Promise<void> => {
    clearTimeout(timer)
    if (stopped) return
    live?.hurry()
    // What is written while the last one is being acknowledged must not be left behind.
    while (outbox.next() && (await flush()));
    if (!isLive) await read()
    if (!isLive && watched && session().token && !state.away && !state.gone) later(ASK_EVERY_MS)
  }

  const forget = (): void => {
    hangUp()
    upTo = undefined
    set({ messages: [], unsent: outbox.all(), draft: null, standing: NOBODY_YET, restarted: false })
  }

  const stopListening = memory.onChange((name) => {
    if (name !== '') return set({ unsent: outbox.all() })
    // In another tab somebody signed out, or is somebody else now.
    if (memory.read('') === null || session().identity !== shownFor) forget()
    shownFor = session().identity
    void proceed()
  })
  const returned = () => {
    failures = 0
    void proceed()
  }
  addEventListener('online', returned)

  return {
    state: () => state,
    proceed: () => void proceed(),

    /** What is sent twice under one `id`, from whichever tab, is one message. */
    send: (text: string, files: readonly SentFile[] = [], id?: string): void => {
      outbox.add(text, files, id)
      // Even before there is a session: whoever comes back finds what was not sent.
      memory.write('', session())
      set({ unsent: outbox.all(), restarted: false })
      void proceed()
    },

    /** Its ticket for a message; `null` when the server was not reached. */
    upload: async (file: File): Promise<{ ticket: string } | { refused: string } | null> => {
      const token = await tokenOrNew()
      if (!token) return null
      const answer = await server.upload(token, file)
      if (answer.ok) return answer.body
      if (answer.kind === 'refused') return { refused: answer.message }
      failed(answer)
      return null
    },

    /** Takes an unsent message back; returns its text. */
    takeBack: (id: string): string => {
      const text = outbox.all().find((one) => one.id === id)?.text ?? ''
      outbox.remove(id)
      set({ unsent: outbox.all() })
      return text
    },

    /** Somebody looks at the conversation, or no longer. */
    watch: (isWatched: boolean): void => {
      watched = isWatched
      if (watched) failures = 0
      set({})
      if (watched) void proceed()
    },

    /** Says who the visitor is. Whoever was somebody else before takes nothing along. */
    identify: (who: Identity): void => {
      identity = who
      const { token, identity: before } = session()
      if (verifiedId(who) === before) return
      if (before !== null) {
        outbox.clear()
        memory.write(':typed', null)
      }
      shownFor = verifiedId(who)
      memory.write('', token || outbox.next() ? ({ token: null, identity: shownFor } satisfies Session) : null)
      forget()
      if (token || watched) void proceed()
    },

    rate: async (messageId: string, rating: 'up' | 'down' | null): Promise<void> => {
      const { token } = session()
      const before = state.messages.find(({ id }) => id === messageId)
      if (!token || !before) return
      const { feedback: _feedback, ...unrated } = before
      show([rating ? { ...unrated, feedback: rating } : unrated])
      const answer = await server.rate(token, messageId, rating)
      if (answer.ok) return
      show([before])
      failed(answer)
    },

    /** What went wrong, in words; `null` when it is kept. */
    leaveEmail: async (email: string): Promise<'refused' | 'away' | null> => {
      const { token } = session()
      const answer = token ? await server.leaveEmail(token, email) : null
      if (!answer || !answer.ok) return answer?.kind === 'refused' ? 'refused' : 'away'
      set({ standing: { ...state.standing, askEmail: false } })
      return null
    },

    source: async (messageId: string, citation: number) => {
      const { token } = session()
      const answer = token ? await server.source(token, messageId, citation) : null
      return answer?.ok ? answer.body : null
    },

    stop: (): void => {
      stopped = true
      clearTimeout(timer)
      hangUp()
      stopListening()
      removeEventListener('online', returned)
    },
  }
}

export type Chat = ReturnType<typeof makeChat>

const GONE = new Set(['channel_not_found', 'origin_not_allowed', 'channel_gone'])

const verifiedId = (identity: Identity | null): string | null => (identity?.id && identity.hash ? identity.id : null)

/** In its conversation by number; a later conversation stands behind an earlier one. What is there already is replaced. */
const placed = (messages: ChatMessage[], message: ChatMessage): ChatMessage[] => {
  const others = messages.filter(({ id }) => id !== message.id)
  const before = others.findLastIndex(
    ({ conversationId, seq }) => conversationId === message.conversationId && seq < message.seq,
  )
  const behind = others.findIndex(
    ({ conversationId, seq }) => conversationId === message.conversationId && seq > message.seq,
  )
  const at = before >= 0 ? before + 1 : behind >= 0 ? behind : others.length
  return [...others.slice(0, at), message, ...others.slice(at)]
}

/** The next sentence, or the first of another draft; one that does not follow is left out, because the message comes anyway. */
const continued = (
  draft: Draft | null,
  { draftId, conversationId, index, text, citations }: AnswerSentence,
): Draft | null => {
  if (index === 0) return { draftId, conversationId, sentences: [text], citations }
  if (draft?.draftId !== draftId || draft.sentences.length !== index) return draft
  return { ...draft, sentences: [...draft.sentences, text], citations }
}

const unreadIn = (messages: readonly ChatMessage[], read: string | null): number => {
  const from = messages.findIndex(({ id }) => id === read) + 1
  return messages.slice(from).filter(({ author }) => author !== 'customer').length
}

/** One tab at a time where the browser can say so; else each for itself, which the messages' ids make harmless. */
const running = new Map<string, Promise<unknown>>()
const alone = <T>(name: string, work: () => Promise<T>): Promise<T> => {
  const under = running.get(name) as Promise<T> | undefined
  if (under) return under
  const mine = navigator.locks ? navigator.locks.request(name, work) : work()
  const ended = mine.finally(() => running.delete(name))
  running.set(name, ended)
  return ended
}
