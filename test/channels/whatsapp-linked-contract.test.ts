import { decodeMessage, decodeReaction, decodeUpdate } from '../../src/channels/whatsapp/linked/decode.js'
import { keepsTheChannelContract } from '../contracts/channel.js'
import type { Provider } from '../contracts/provider.js'
import { eventually } from '../support/app.js'
import { openSimulatedPhone } from '../support/simulated-phone.mjs'
import { keyOf, messageOf, textOf } from '../support/whatsapp-socket.js'

const STATUSES = { sent: 2, delivered: 3, read: 4, refused: 0 }
const jidOf = (number: string) => `${number}@s.whatsapp.net`

/** WhatsApp and one company's phone, on this machine. */
const openPhone = async (): Promise<Provider> => {
  const phone = await openSimulatedPhone()
  return {
    settings: { simulatorUrl: phone.url },
    // What the keys of the link are made of.
    secrets: ['noiseKey', 'signedIdentityKey'],
    link: async (isShown) => {
      await eventually(isShown)
      phone.scan()
      await eventually(async () => phone.isOpen)
    },
    deliver: async (_door, ...all) => {
      for (const { from, name = '', id, text } of all)
        phone.says({ name, key: { remoteJid: jidOf(from) } }, text, { id })
    },
    hand: async (_door, raw) => {
      for (const kind of ['message', 'update', 'reaction']) phone.tell({ kind, raw })
    },
    got: async (_door, address) =>
      phone.sent.filter(({ to }) => to === jidOf(address)).map(({ content }) => content.text ?? ''),
    connections: () => (phone.isConnected ? 1 : 0),
    sending: {
      refuseNext: () => phone.takes('refused', 1),
      away: phone.away,
      back: phone.back,
      loseNext: () => phone.takes('unknown', 1),
      denyNext: () => phone.lose(401),
    },
    tell: async (_door, { status, externalId, to }) => {
      const key = { remoteJid: jidOf(to), id: externalId, fromMe: true }
      phone.tell({ kind: 'update', raw: { key, update: { status: STATUSES[status] } } })
    },
    close: phone.close,
  }
}

const ANA = { number: '5511987654321' }
const HIDDEN = { lid: '77001122334455' }
const id = '3A00000000000000AA'

keepsTheChannelContract({
  kind: 'whatsapp-baileys',
  open: openPhone,
  address: (n) => `491510888${String(n).padStart(4, '0')}`,
  samples: {
    'plain words': textOf(ANA, 'Where is my parcel?'),
    'words of somebody whose number is hidden': textOf(HIDDEN, 'Hello'),
    'words that answer others': messageOf(ANA, {
      extendedTextMessage: { text: 'Yes, that one', contextInfo: { stanzaId: id, isForwarded: true } },
    }),
    'words that disappear': messageOf(ANA, {
      ephemeralMessage: { message: { extendedTextMessage: { text: 'for a week' } } },
    }),
    'a photo': messageOf(ANA, { imageMessage: { mediaKey: 'AQ==', mimetype: 'image/png', caption: 'It is *broken*' } }),
    'a voice note': messageOf(ANA, { audioMessage: { mediaKey: 'AQ==', mimetype: 'audio/ogg', ptt: true } }),
    'a document with its caption around it': messageOf(ANA, {
      documentWithCaptionMessage: {
        message: { documentMessage: { mediaKey: 'AQ==', mimetype: 'application/pdf', fileName: '../a.pdf' } },
      },
    }),
    'a place': messageOf(ANA, { locationMessage: { degreesLatitude: -23.5614, degreesLongitude: -46.6559 } }),
    'somebody’s card': messageOf(ANA, {
      contactMessage: { displayName: 'Bo', vcard: 'BEGIN:VCARD\nTEL;waid=1:+1 555 0100\nEND:VCARD' },
    }),
    'a line of a list that was pressed': messageOf(ANA, {
      listResponseMessage: { title: 'Returns', singleSelectReply: { selectedRowId: 'row-1' } },
    }),
    'a poll': messageOf(ANA, { pollCreationMessageV3: { name: 'Which?' } }),
    'a kind of tomorrow': messageOf(ANA, { hologramMessage: { depth: 3 } }),
    'an edit': messageOf(ANA, {
      editedMessage: {
        message: { protocolMessage: { type: 14, key: { id }, editedMessage: { conversation: 'about order 42' } } },
      },
    }),
    'a message that was taken back': messageOf(ANA, { protocolMessage: { type: 0, key: { id } } }),
    'a message that could not be opened': { key: keyOf(ANA, id), messageStubType: 2, messageTimestamp: 1_772_445_600 },
    'a message in a group': { key: { remoteJid: '123-456@g.us', id }, message: { conversation: 'not for you' } },
    'what the company wrote on its phone': textOf(ANA, 'It is me, Rui', { fromMe: true }),
    'a status': { key: keyOf(ANA, id, true), update: { status: 3 } },
    'a reaction': { key: { id }, reaction: { key: keyOf(ANA), text: '🙏' } },
  },
  // Each of the three is asked whatever comes.
  decode: (raw) =>
    [decodeMessage(raw), decodeUpdate(raw), decodeReaction(raw)].map((told) =>
      told.kind === 'ignored' ? `ignored:${told.name}` : told.kind,
    ),
  names: ['message', 'undecrypted', 'edit', 'revoke', 'reaction', 'status'],
  optOut: 'STOP',
})
