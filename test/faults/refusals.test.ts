import { describe, expect, it } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

const MAIN = path.resolve(import.meta.dirname, '../../dist/main.js')
const folder = () => mkdtempSync(path.join(tmpdir(), 'helpdesk-start-'))

const begin = (env: Record<string, string>) => {
  const child = spawn(process.execPath, [MAIN], {
    cwd: folder(),
    env: { PATH: process.env.PATH, PORT: '0', KNOWLEDGE_DIR: '', LOG_LEVEL: 'silent', DATA_DIR: folder(), ...env },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const ended = once(child, 'exit').then(([code]) => ({ code: code as number, out, err }))
  const address = () => /ready at (\S+)/.exec(out)?.[1] ?? ''
  return { child, ended, ready: () => out.includes('Helpdesk ready'), address }
}

describe('a start that cannot work says what to do and ends', () => {
  const damaged = folder()
  writeFileSync(path.join(damaged, 'helpdesk.db'), 'this is no database '.repeat(1000))
  const file = path.join(folder(), 'a-file')
  writeFileSync(file, '')

  it.each([
    ['a port that is none', { PORT: 'abc' }, /^PORT: must be a whole number from 0 to 65535$/m],
    [
      'a public address with a path',
      { PUBLIC_URL: 'https://a.example/desk' },
      /^PUBLIC_URL: must be an address .* without a path$/m,
    ],
    ['MongoDB without a secret', { MONGODB_URI: 'mongodb://127.0.0.1:1' }, /^SECRET_KEY: is required/m],
    [
      'a replica set that is away',
      { MONGODB_URI: 'mongodb://127.0.0.1:1,127.0.0.1:2/?replicaSet=a', SECRET_KEY: 's'.repeat(32) },
      /^MONGODB_URI: no MongoDB answers there/m,
    ],
    [
      'a folder of documents that is missing',
      { KNOWLEDGE_DIR: '/nowhere/at/all' },
      /^KNOWLEDGE_DIR: there is nothing at \/nowhere\/at\/all/m,
    ],
    ['a damaged database', { DATA_DIR: damaged }, /^DATA_DIR: the database in .* is damaged/m],
    ['a data directory that is a file', { DATA_DIR: file }, /^DATA_DIR: .* cannot be written to/m],
  ])('%s', async (_what, env, message) => {
    const { code, out, err } = await begin(env).ended
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(message)
    // A person reads this: no stack.
    expect(err).not.toMatch(/\n\s+at /)
  })

  it('a port that is taken', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as AddressInfo
    const { code, err } = await begin({ PORT: String(port) }).ended
    taken.close()
    expect(code).toBe(1)
    expect(err).toMatch(new RegExp(`^PORT: ${port} on 127.0.0.1 is in use`, 'm'))
  })

  it('a data directory that another process uses, which goes on undisturbed', async () => {
    const shared = folder()
    const first = begin({ DATA_DIR: shared })
    while (!first.ready()) await new Promise((resolve) => setTimeout(resolve, 20))
    const second = await begin({ DATA_DIR: shared }).ended
    expect(second.code).toBe(1)
    expect(second.err).toMatch(/^DATA_DIR: .* is in use by another process/m)
    first.child.kill('SIGTERM')
    expect((await first.ended).code).toBe(0)
  })
})

it('a connection that lies idle is closed by the load balancer before it, never under its next request', async () => {
  const { child, ended, ready, address } = begin({})
  while (!ready()) await new Promise((resolve) => setTimeout(resolve, 20))
  const { headers } = await fetch(`${address()}/health/live`)
  const seconds = Number(/timeout=(\d+)/.exec(headers.get('keep-alive') ?? '')?.[1])
  expect(seconds).toBeGreaterThan(60)
  child.kill('SIGTERM')
  expect((await ended).code).toBe(0)
})
