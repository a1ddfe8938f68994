import { z } from 'zod'
import { AppError } from '../../../platform/errors.js'
import { defineChannel, type Channel, type ChannelKit, type TestStep } from '../../channel.js'
import { asWaId } from '../contact.js'
import { openBaileys } from './baileys.js'
import { makeFetchFile } from './files.js'
import { makeIncoming } from './incoming.js'
import { makeLink } from './link.js'
import { makeOutgoing } from './outgoing.js'
import { makePeople } from './people.js'
import { openSessionKeys } from './session-keys.js'
import { openSimulated } from './simulated.js'
import type { OpenSocket } from './socket.js'

const NUMBER = 'is a number with its country code, such as +49 151 23456789'

export const linkedSettings = z.object({
  phoneNumber: z
    .string()
    .trim()
    .regex(/^[+\d\s().-]*$/u, NUMBER)
    .transform((given) => given.replace(/[\s().-]/gu, ''))
    .pipe(z.string().regex(/^\+?[1-9]\d{6,14}$/u, NUMBER))
    .nullish()
    .describe('The phone’s number: then a code is shown to type into the phone, instead of a picture to scan'),
  simulatorUrl: z
    .url({ protocol: /^https?$/u })
    .optional()
    .describe('Address of the simulator (npm run simulate -- whatsapp-baileys), to try this without a phone'),
})
export type LinkedSettings = z.infer<typeof linkedSettings>

/** `openSocket` and `timing` are for those who play the phone. */
export const openLinked = (
  settings: LinkedSettings,
  kit: ChannelKit,
  openSocket: OpenSocket,
  timing?: Parameters<typeof makeOutgoing>[0]['timing'],
): Channel & { idle(): Promise<void> } => {
  const { memory, clock, log, secrets, record } = kit
  const people = makePeople({ memory, log })
  const link = makeLink({
    openKeys: () => openSessionKeys({ channelId: record.id, memory, secrets }),
    openSocket,
    phoneNumber: settings.phoneNumber?.replace('+', ''),
    sentText: (id) => outgoing.sentText(id),
    report: kit.report,
    clock,
    log,
  })
  const outgoing = makeOutgoing({
    kit,
    channelId: record.id,
    people,
    link: link.standing,
    ...(timing ? { timing } : {}),
  })
  let incoming: ReturnType<typeof makeIncoming> | null = null
  let held: { stop(): Promise<void> } | null = null

  return {
    start: async (receive) => {
      const { ownNameOf, isOurs } = outgoing
      const fetchFile = makeFetchFile({ socket: link.socket, keepFile: kit.keepFile })
      const made = makeIncoming({ kit, people, receive, ownNameOf, isOurs, fetchFile, settled: link.settled })
      incoming = made
      held = kit.lease('phone', (signal) => link.run(signal, made.take))
    },
    stop: async () => {
      await held?.stop()
      await incoming?.stop()
    },
    send: outgoing.send,
    typing: (conversationId) => {
      outgoing.typing(conversationId).catch((err: unknown) => log.debug({ err }, 'typing not shown'))
    },
    test: async (given) => {
      const number = asWaId(given.replace(/[\s().-]/gu, ''))
      if (!number)
        throw new AppError('invalid', 'number_unreadable', 'That is no number. Begin with the country’s code.', {
          field: 'to',
        })
      const isOpen = link.socket() !== null
      const phone: TestStep = {
        name: 'phone',
        ok: isOpen,
        ms: 0,
        ...(isOpen ? {} : { detail: 'It is not connected.' }),
      }
      if (!isOpen) return [phone]
      const startedAt = performance.now()
      const sent = await outgoing.test({ number, lid: null }, 'This is a test message.').then(
        () => ({ ok: true, detail: 'WhatsApp took it: look at the phone.' }),
        (error: unknown) => ({
          ok: false,
          detail: error instanceof AppError ? error.message : 'WhatsApp did not answer.',
        }),
      )
      return [phone, { name: 'message', ms: Math.round(performance.now() - startedAt), ...sent }]
    },
    idle: async () => incoming?.idle(),
  }
}

/** A company's own phone, linked as a second device. Not an offer of WhatsApp's: see docs/WHATSAPP-LINKED.md. */
export const whatsappLinked = defineChannel({
  // What it is stands where it is chosen: WhatsApp may close a number for it.
  label: 'WhatsApp (linked phone, unofficial)',
  icon: 'device-mobile',
  cautions: {
    unofficial_client:
      'WhatsApp does not offer this to programs, and its terms do not allow unofficial clients: it may restrict or close the number without notice. Use a number that you can do without, never for advertising, and the Cloud API where you can.',
    gpl_library:
      'It needs the optional package @whiskeysockets/baileys. Its part libsignal is under the GPL-3.0: whoever hands on an installation that contains it has to keep to that licence.',
  },
  settings: linkedSettings,
  // A connection that breaks at the wrong moment leaves it unknown whether a message went out: a person looks.
  idempotent: false,
  automaticLimits: { perConversation: 40, perContactAndDay: 60 },
  open: (settings, kit) => {
    const given = settings
    return openLinked(given, kit, given.simulatorUrl ? openSimulated(given.simulatorUrl, kit) : openBaileys({}))
  },
})
