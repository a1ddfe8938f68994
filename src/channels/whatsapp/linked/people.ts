import type { Log } from '../../../platform/log.js'
import type { ChannelKit, Receive } from '../../channel.js'
import { phoneOf } from '../contact.js'
import { addressOf, addressOfLid, externalIdOf, type Person } from './names.js'

/**
 * Who is who: a hidden id and a number are one contact as soon as WhatsApp says so. What it says first holds: were it
 * contradicted and believed, one person would be shown what another wrote. The reply goes to whoever wrote last.
 */

type Needs = { memory: ChannelKit['memory']; log: Log }

const MOST_KNOWN = 20_000

export const makePeople = ({ memory, log }: Needs) => {
  /** `null`: asked, and not there. */
  const numbers = new Map<string, string | null>()
  const addresses = new Map<string, string | null>()

  const remember = (known: Map<string, string | null>, key: string, value: string | null) => {
    known.delete(key)
    known.set(key, value)
    const [oldest] = known.keys()
    if (known.size > MOST_KNOWN && oldest !== undefined) known.delete(oldest)
    return value
  }

  const recall = async (known: Map<string, string | null>, key: string): Promise<string | null> => {
    const found = known.get(key)
    return found !== undefined ? found : remember(known, key, await memory.get<string>(key))
  }

  const learn = async (lid: string, number: string, receive: Receive): Promise<string> => {
    const key = `lid/${lid}`
    const known = await recall(numbers, key)
    if (known === number) return number
    if (known !== null) {
      log.warn({ code: 'mapping_contradicted' }, 'linked phone')
      return known
    }
    // The contact first: whoever dies in between is told again.
    await receive({ kind: 'identity', from: `lid:${lid}`, to: `+${number}`, phone: phoneOf(number) })
    await memory.set(key, number)
    remember(numbers, key, number)
    return number
  }

  return {
    learn,

    /** The person by all names that are known. */
    identified: async ({ number, lid }: Person, receive: Receive): Promise<Person> => {
      if (!lid) return { number, lid }
      if (number) return { number: await learn(lid, number, receive), lid }
      return { number: await recall(numbers, `lid/${lid}`), lid }
    },

    /** They wrote: by which address they can be answered. */
    wrote: async (person: Person): Promise<void> => {
      const externalId = externalIdOf(person)
      if (!person.lid || !person.number || !externalId) return
      const key = `to/${externalId}`
      const address = addressOfLid(person.lid)
      if ((await recall(addresses, key)) === address) return
      await memory.set(key, address)
      remember(addresses, key, address)
    },

    addressOf: async (externalId: string): Promise<string> =>
      (await recall(addresses, `to/${externalId}`)) ?? addressOf(externalId),
  }
}

export type People = ReturnType<typeof makePeople>
