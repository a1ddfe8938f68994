import { asWaId } from '../contact.js'
import { asFields, type Fields } from './fields.js'

/**
 * How WhatsApp addresses people on a linked phone: by a number (`4915…@s.whatsapp.net`), by an id that hides it
 * (`1234…@lid`), either with the number of a device behind it. A hidden id looks like a number and is none.
 */
export type Person = { number: string | null; lid: string | null }

/** Where a chat is that is none with one person. */
export type Elsewhere = 'group' | 'broadcast' | 'status' | 'newsletter' | 'unreadable'

const ADDRESS = /^([^@\s]{1,64})@([a-z.]{1,32})$/u
const LID = /^[1-9]\d{4,19}$/u

const personBehind = (address: unknown): Person | Elsewhere => {
  const [, user = '', server = ''] = (typeof address === 'string' && ADDRESS.exec(address)) || []
  const name = user.replace(/:\d{1,5}$/u, '').replace(/_\d{1,5}$/u, '')
  switch (server) {
    case 's.whatsapp.net':
    case 'c.us':
    case 'hosted': {
      const number = asWaId(name)
      return number ? { number, lid: null } : 'unreadable'
    }
    case 'lid':
    case 'hosted.lid':
      return LID.test(name) ? { number: null, lid: name } : 'unreadable'
    case 'g.us':
      return 'group'
    case 'broadcast':
      return user === 'status' ? 'status' : 'broadcast'
    case 'newsletter':
      return 'newsletter'
    default:
      return 'unreadable'
  }
}

/** With whom a message's chat is, by both names where both are said. */
export const chatOf = (key: Fields): Person | Elsewhere => {
  const person = personBehind(key.remoteJid)
  if (typeof person === 'string') return person
  const other = personBehind(key.remoteJidAlt)
  if (typeof other === 'string') return person
  return { number: person.number ?? other.number, lid: person.lid ?? other.lid }
}

/** Two names of one person, as WhatsApp tells them; `null` where it is not both. */
export const mappingOf = (raw: unknown): { number: string; lid: string } | null => {
  const { lid, pn } = asFields(raw)
  const [hidden, known] = [personBehind(lid), personBehind(pn)]
  if (typeof hidden === 'string' || typeof known === 'string' || !hidden.lid || !known.number) return null
  return { number: known.number, lid: hidden.lid }
}

const LID_PREFIX = 'lid:'

/** The contact's name at this channel. */
export const externalIdOf = ({ number, lid }: Person): string | null =>
  number ? `+${number}` : lid ? LID_PREFIX + lid : null

export const addressOfLid = (lid: string): string => `${lid}@lid`

/** Where a reply goes that is not known better. */
export const addressOf = (externalId: string): string =>
  externalId.startsWith(LID_PREFIX)
    ? addressOfLid(externalId.slice(LID_PREFIX.length))
    : `${externalId.replace(/^\+/u, '')}@s.whatsapp.net`
