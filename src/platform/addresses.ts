import { lookup as resolve } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { Agent, buildConnector, fetch as undiciFetch, type RequestInit, type Response } from 'undici'
import { AppError } from './errors.js'

/** What companies tell us to connect to (mail servers, providers, pages) must not lead into our own network. */

const PRIVATE: readonly [string, number, 'ipv4' | 'ipv6'][] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 127, 'ipv6'],
  ['64:ff9b::', 96, 'ipv6'],
  ['2002::', 16, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
]

const blocked = new BlockList()
for (const [net, prefix, family] of PRIVATE) blocked.addSubnet(net, prefix, family)

/** An IPv4 address inside an IPv6 one counts as what it is. */
export const isPrivateAddress = (address: string): boolean => {
  const family = isIP(address)
  return family === 0 || blocked.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

export type Outside = {
  /** The address behind a host's name. Throws `invalid` where there is none, or where it is private. */
  lookup(host: string): Promise<string>
  /** Like the global one, but only to public addresses, redirects included, and with at most `timeoutMs` to the first byte. */
  fetch(url: string | URL, init?: RequestInit): Promise<Response>
}

const CONNECT_MS = 5_000
const HEADERS_MS = 15_000
const BODY_MS = 30_000

const notFound = (host: string, cause: unknown) =>
  new AppError('invalid', 'host_not_found', `There is no host with the name ${host}.`, { cause })
const isPrivate = (host: string) =>
  new AppError(
    'invalid',
    'private_address',
    `${host} is a private address. The operator can allow such addresses with ALLOW_PRIVATE_ADDRESSES=true.`,
  )

export const makeOutside = ({ allowPrivate }: { allowPrivate: boolean }): Outside => {
  const lookup = async (host: string): Promise<string> => {
    const found = await resolve(host, { all: true }).catch((cause: unknown) => {
      throw notFound(host, cause)
    })
    const usable = found.find(({ address }) => allowPrivate || !isPrivateAddress(address))
    if (usable) return usable.address
    throw found.length > 0 ? isPrivate(host) : notFound(host, null)
  }
  const connector = buildConnector({ timeout: CONNECT_MS })
  const agent = new Agent({
    headersTimeout: HEADERS_MS,
    bodyTimeout: BODY_MS,
    // The checked address is the one that is connected to: a name cannot lead elsewhere in between.
    connect: (options, callback) => {
      const { hostname } = options
      lookup(hostname.replace(/^\[|\]$/g, '')).then(
        (address) =>
          connector({ ...options, hostname: address, servername: options.servername || sniOf(hostname) }, callback),
        (error: Error) => callback(error, null),
      )
    },
  })
  return {
    lookup,
    fetch: async (url, init) => {
      try {
        return await undiciFetch(url, { ...init, dispatcher: agent })
      } catch (error) {
        const cause = (error as { cause?: unknown }).cause
        throw cause instanceof AppError ? cause : error
      }
    },
  }
}

const sniOf = (hostname: string): string => (isIP(hostname) ? '' : hostname)
