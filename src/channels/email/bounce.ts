import { isAddress, parseMessageId, parseMessageIds, oneLine, type Mailbox } from './decode-headers.js'
import type { Part } from './decode-mime.js'

/**
 * A mail of ours that did not arrive: to whom, and whether it is worth trying again. Read from a delivery report (RFC 3464) where
 * there is one, else from the prose of the servers that write their own.
 */
export type Bounce = {
  /** Null where the report hides it: the channel may know by the address that it was sent to. */
  recipient: string | null
  /** `hard`: the address or its host does not exist. `soft`: all else, from a full mailbox to a filter. */
  kind: 'hard' | 'soft'
  reason: BounceReason
  /** RFC 3463, such as `5.1.1`. */
  status: string | null
  /** The remote server's own words, on one line. */
  diagnostic: string
  /** Message-IDs of the mail that bounced, the likeliest first. */
  originalMessageIds: string[]
  /** Further addresses of the same report. */
  others: { recipient: string; kind: 'hard' | 'soft'; reason: BounceReason }[]
}

export type BounceReason =
  | 'unknown_user'
  | 'unknown_host'
  | 'moved'
  | 'no_mail_accepted'
  | 'mailbox_full'
  | 'mailbox_disabled'
  | 'message_too_large'
  | 'spam'
  | 'virus'
  | 'policy'
  | 'sender_refused'
  | 'authentication'
  | 'too_fast'
  | 'expired'
  | 'delayed'
  | 'network'
  | 'mail_system'
  | 'complaint'
  | 'other'

type Report = {
  root: Part
  from: Mailbox | null
  to: Mailbox[]
  subject: string
  text: string
  types: ReadonlySet<string>
  returnPath: string | null
  reads: (part: Part) => string
}

export const findBounce = (_report: Report): Bounce | null => {
  void isAddress
  void parseMessageId
  void parseMessageIds
  void oneLine
  return null
}
