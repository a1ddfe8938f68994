import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isPrivateAddress, makeOutside } from '../../src/platform/addresses.js'

/** What a company tells us to connect to must not lead into the operator's own network. */
describe('addresses that a company names', () => {
  it.each([
    ['127.0.0.1', true],
    ['10.1.2.3', true],
    ['172.31.255.255', true],
    ['172.32.0.1', false],
    ['192.168.1.1', true],
    ['169.254.169.254', true],
    ['100.64.0.1', true],
    ['0.0.0.0', true],
    ['224.0.0.1', true],
    ['255.255.255.255', true],
    ['93.184.216.34', false],
    ['::1', true],
    ['::', true],
    ['::ffff:127.0.0.1', true],
    ['::ffff:8.8.8.8', false],
    ['64:ff9b::7f00:1', true],
    ['fd00::1', true],
    ['fe80::1', true],
    ['2606:4700::1111', false],
    ['no address', true],
  ])('%s is private: %s', (address, expected) => {
    expect(isPrivateAddress(address)).toBe(expected)
  })
})

describe('the way out', () => {
  let server: Server
  let port: number
  let asked = 0
  beforeAll(async () => {
    server = createServer((req, res) => {
      asked += 1
      if (req.url === '/away') res.writeHead(302, { location: `http://127.0.0.1:${port}/in` })
      res.end('inside')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => {
    server.close()
    server.closeAllConnections()
  })

  it.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1'])(
    'does not lead to %s: nothing is sent there',
    async (host) => {
      const before = asked
      const outside = makeOutside({ allowPrivate: false })
      await expect(outside.fetch(`http://${host}:${port}/`)).rejects.toMatchObject({
        code: 'private_address',
        kind: 'invalid',
      })
      expect(asked).toBe(before)
    },
  )

  it('leads there where the operator allows it, redirects included', async () => {
    const { fetch, lookup } = makeOutside({ allowPrivate: true })
    expect(await (await fetch(`http://localhost:${port}/away`)).text()).toBe('inside')
    expect(await lookup('127.0.0.1')).toBe('127.0.0.1')
  })

  it('names a host that does not exist', async () => {
    await expect(makeOutside({ allowPrivate: false }).lookup('nowhere.invalid')).rejects.toMatchObject({
      code: 'host_not_found',
    })
  })
})
