import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** Stands before a server and breaks connections as a test wants: after a line that matches, or by falling silent. */
export const openFaultProxy = async (port: number) => {
  const open = new Set<Socket>()
  const fault: { cutAfter: RegExp | null; times: number; silent: boolean } = { cutAfter: null, times: 0, silent: false }
  let connections = 0

  const server = createServer((client) => {
    connections += 1
    const upstream = connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        open.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (data: Buffer) => {
      if (fault.silent) return
      if (fault.cutAfter && fault.times > 0 && fault.cutAfter.test(data.toString('latin1'))) {
        fault.times -= 1
        client.resetAndDestroy()
        return
      }
      upstream.write(data)
    })
    upstream.on('data', (data: Buffer) => {
      if (!fault.silent) client.write(data)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    /** The next connections end, with a reset, at what the client says and matches. */
    cutAfter: (pattern: RegExp, times = 1) => Object.assign(fault, { cutAfter: pattern, times }),
    /** Everything stays open and nobody says a word any more; new connections too. */
    fallSilent: (silent: boolean) => Object.assign(fault, { silent }),
    cutAll: () => {
      for (const socket of open) socket.resetAndDestroy()
    },
    close: async () => {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
