import type { SessionKeys } from './session-keys.js'

/**
 * What this channel uses of a linked phone's connection, and nothing else: so that a script can play it. What WhatsApp says
 * comes through as it is (protobuf as objects) and is decoded behind this.
 */

/** `raw` is one message as WhatsApp has it. */
export type SocketEvent =
  /** What the phone has to scan now. */
  | { kind: 'qr'; qr: string }
  /** The phone has scanned: the server will ask for a restart. */
  | { kind: 'paired' }
  | { kind: 'open' }
  /** Anything at all came from the server. */
  | { kind: 'alive' }
  /** The end of this connection; nothing comes after it. `code` is WhatsApp's, or that of the library. */
  | { kind: 'closed'; code: number | null }
  /** `journal` names what is kept of it until it is taken in. */
  | { kind: 'message'; raw: unknown; journal?: string }
  /** What WhatsApp hands over of the time before, in bulk. */
  | { kind: 'history'; messages: number; mappings: unknown[] }
  /** A change of a message: its status, its text, its end. */
  | { kind: 'update'; raw: unknown }
  | { kind: 'reaction'; raw: unknown }
  /** Two names of one person. */
  | { kind: 'mapping'; raw: unknown }

export type OutgoingContent =
  | { kind: 'text'; text: string }
  | {
      kind: 'file'
      media: 'image' | 'video' | 'audio' | 'document'
      mime: string
      name: string
      caption?: string
      bytes: Buffer
    }

export type Outgoing = {
  to: string
  /** The message's name at WhatsApp: the same one again is the same message. */
  id: string
  content: OutgoingContent
  /** What it answers. */
  quoted?: { id: string; text: string; fromMe: boolean }
}

/** `unknown`: it was written to the socket and the server has not said a word about it. */
export type SendOutcome = { kind: 'taken' } | { kind: 'refused'; code: string } | { kind: 'unknown' }

export type LinkedSocket = {
  /** Asks for eight characters to type into the phone with this number; only while a QR would be shown. */
  pairingCode(phoneNumber: string): Promise<string>
  /** Throws `unavailable` where nothing was written. */
  send(message: Outgoing): Promise<SendOutcome>
  typing(to: string, on: boolean): Promise<void>
  /** The file of a message, asked of the phone again where WhatsApp does not keep it any more. */
  download(raw: unknown, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  /** Ends the connection; the link stays. */
  close(): void
}

export type OpenSocket = (needs: {
  keys: SessionKeys
  on(event: SocketEvent): void
  /** The words of a message of ours, which its reader could not open. */
  sentText(id: string): Promise<string | null>
}) => Promise<LinkedSocket>
