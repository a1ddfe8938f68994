import { SMTPServer } from 'smtp-server'

/** A mail server to send to, that behaves as a test wants. */
export const openSmtp = async ({ user, password } = {}) => {
  const sent = []
  const manner = { now: { kind: 'take' }, times: Infinity }
  let connections = 0
  const current = () => (manner.times > 0 ? manner.now : { kind: 'take' })

  const objection = (at) => {
    const now = current()
    if ((now.kind !== 'defer' && now.kind !== 'refuse') || now.at !== at) return null
    manner.times -= 1
    const words = now.words ?? (now.kind === 'defer' ? 'try again later' : 'no such user here')
    return Object.assign(new Error(words), { responseCode: now.kind === 'defer' ? 451 : 550 })
  }

  const hangUp = () => {
    for (const connection of server.connections) connection._socket.destroy()
  }

  const refusesLogin = () => {
    if (current().kind !== 'refuse_login') return false
    manner.times -= 1
    return true
  }

  const server = new SMTPServer({
    authOptional: user === undefined,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onAuth: (auth, _session, done) =>
      !refusesLogin() && auth.username === user && auth.password === password
        ? done(null, { user: 'ok' })
        : done(Object.assign(new Error('Invalid login'), { responseCode: 535 })),
    onConnect: (_session, done) => {
      connections += 1
      done(objection('connect'))
    },
    onMailFrom: (_address, _session, done) => done(objection('mail')),
    onRcptTo: (_address, _session, done) => done(objection('rcpt')),
    onData: (stream, session, done) => {
      const parts = []
      stream.on('data', (part) => parts.push(part))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        const error = objection('data')
        if (error) return done(error)
        sent.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(parts).toString('utf8'),
          at: performance.now(),
        })
        const now = current()
        if (now.kind === 'drop') {
          manner.times -= 1
          return hangUp()
        }
        if (now.kind === 'slow') return void setTimeout(() => done(null, 'taken'), now.ms)
        done(null, 'taken')
      })
    },
  })
  server.on('error', () => {})
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address()

  return {
    port,
    sent,
    connections: () => connections,
    open: () => server.connections.size,
    /** From now on, or only so often. */
    behave: (now, times = Infinity) => Object.assign(manner, { now, times }),
    hangUp,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
