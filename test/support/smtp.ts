import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

export type SentMail = { from: string; to: string[]; raw: string }

/** How the next mails are met. `drop`: taken whole, and then the connection breaks before a word is said about it. */
export type Manner =
  | { kind: 'take' }
  | { kind: 'defer' | 'refuse'; at: 'connect' | 'mail' | 'rcpt' | 'data'; words?: string }
  | { kind: 'drop' }
  | { kind: 'slow'; ms: number }

/** A mail server to send to, that behaves as a test wants. */
export const openSmtp = async ({ user, password }: { user?: string; password?: string } = {}) => {
  const sent: SentMail[] = []
  const manner: { now: Manner; times: number } = { now: { kind: 'take' }, times: Infinity }
  let connections = 0
  const current = (): Manner => (manner.times > 0 ? manner.now : { kind: 'take' })

  const objection = (at: 'connect' | 'mail' | 'rcpt' | 'data'): Error | null => {
    const now = current()
    if ((now.kind !== 'defer' && now.kind !== 'refuse') || now.at !== at) return null
    manner.times -= 1
    const words = now.words ?? (now.kind === 'defer' ? 'try again later' : 'no such user here')
    return Object.assign(new Error(words), { responseCode: now.kind === 'defer' ? 451 : 550 })
  }

  const server = new SMTPServer({
    authOptional: user === undefined,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onAuth: (auth, _session, done) =>
      auth.username === user && auth.password === password
        ? done(null, { user: 'ok' })
        : done(Object.assign(new Error('Invalid login'), { responseCode: 535 })),
    onConnect: (_session, done) => {
      connections += 1
      done(objection('connect'))
    },
    onMailFrom: (_address, _session, done) => done(objection('mail')),
    onRcptTo: (_address, _session, done) => done(objection('rcpt')),
    onData: (stream, session, done) => {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        const error = objection('data')
        if (error) return done(error)
        sent.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(parts).toString('utf8'),
        })
        const now = current()
        if (now.kind === 'drop') {
          manner.times -= 1
          for (const connection of server.connections as Set<{ _socket: { destroy(): void } }>)
            connection._socket.destroy()
          return
        }
        if (now.kind === 'slow') return void setTimeout(() => done(null, 'taken'), now.ms)
        done(null, 'taken')
      })
    },
  })
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as AddressInfo

  return {
    port,
    sent,
    connections: () => connections,
    /** From now on, or only so often. */
    behave: (now: Manner, times = Infinity) => Object.assign(manner, { now, times }),
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}

export type Smtp = Awaited<ReturnType<typeof openSmtp>>
