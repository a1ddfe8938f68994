import { NO_REPLY } from './automatic.js'
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
  others: { recipient: string | null; kind: 'hard' | 'soft'; reason: BounceReason }[]
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
  /** The addresses that the report itself was sent to. */
  to: Mailbox[]
  text: string
  returnPath: string | null
  /** The text of a part. */
  reads: (part: Part) => string
}

type Failure = { recipient: string | null; status: string | null; action: string; diagnostic: string }

export const findBounce = (report: Report): Bounce | null => {
  const parts = flatten(report.root)
  const complaint = findComplaint(report, parts)
  if (complaint) return complaint
  const prose = beforeReturned(report.text.slice(0, LONGEST_PROSE))
  const written = readStatusBlocks(report, parts, prose)
  const reported = written.length > 0 ? written : readNotification(report.text)
  if (reported.length > 0 && reported.every(({ action }) => ARRIVED.test(action))) return null
  const failures = reported.filter(({ action }) => !ARRIVED.test(action))
  const found = failures.length > 0 ? failures : readProse(report, parts, prose)
  const [first, ...rest] = found.map((failure) => judge(failure, prose))
  if (!first) return null
  return {
    ...first,
    originalMessageIds: originalIds(report, parts),
    others: rest.map(({ recipient, kind, reason }) => ({ recipient, kind, reason })),
  }
}

const LONGEST_PROSE = 64 * 1024
const MOST_RECIPIENTS = 30
const ARRIVED = /^(?:delivered|relayed|expanded)/u

const flatten = (part: Part): Part[] => [part, ...part.children.flatMap(flatten)]

// ---- a delivery report

const STATUS_TYPES = new Set(['message/delivery-status', 'message/global-delivery-status'])

/** The fields of RFC 3464, from their part, or from prose that quotes them. */
const readStatusBlocks = (report: Report, parts: Part[], prose: string): Failure[] => {
  const sources = parts.filter(({ type }) => STATUS_TYPES.has(type)).map((part) => report.reads(part))
  if (sources.length === 0 && /^[ \t]*final-recipient[ \t]*:/imu.test(prose)) sources.push(prose)
  const failures: Failure[] = []
  for (const fields of sources.flatMap((source) => readBlocks(source.slice(0, LONGEST_PROSE)))) {
    const named = [fields.get('original-recipient'), fields.get('final-recipient'), fields.get('x-actual-recipient')]
    if (named.every((value) => value === undefined)) continue
    const recipient = named.map((value) => addressIn((value ?? '').replace(/^[^;]*;/u, ''))).find(Boolean) ?? null
    const action = (fields.get('action') ?? 'failed').toLowerCase()
    const status = STATUS.exec(fields.get('status') ?? '')?.[0] ?? null
    if (failures.some((known) => known.recipient === recipient)) continue
    failures.push({ recipient, status, action, diagnostic: fields.get('diagnostic-code') ?? '' })
    if (failures.length >= MOST_RECIPIENTS) break
  }
  return failures
}

/** Groups of fields. An empty line ends one; so does a second recipient, since not everybody writes that line. */
const readBlocks = (text: string): Map<string, string>[] => {
  let block = new Map<string, string>()
  const blocks = [block]
  for (const line of text.replace(/\n[ \t]+(?=\S)/gu, ' ').split('\n')) {
    const match = /^\s*([\w-]{3,40})\s*:\s*(.*)$/u.exec(line)
    const name = match?.[1]?.toLowerCase() ?? ''
    if (line.trim() === '' || (block.has(name) && /^(?:final|original)-recipient$/u.test(name))) {
      block = new Map()
      blocks.push(block)
    }
    if (name && !block.has(name)) block.set(name, match?.[2]?.trim() ?? '')
  }
  return blocks
}

/**
 * Amazon SES tells by mail too, as JSON (its "notification contents" page). Read field by field: the lines are broken on the way, and
 * then it is no JSON any more.
 */
const readNotification = (text: string): Failure[] => {
  if (!/^\s*\{"notificationType"\s*:\s*"Bounce"/u.test(text)) return []
  const said = text.slice(0, LONGEST_PROSE)
  return [...said.matchAll(/\{"emailAddress"\s*:\s*"([^"]{3,320})"([^{}]{0,2000})\}/gu)]
    .slice(0, MOST_RECIPIENTS)
    .map(([, address = '', rest = '']) => ({
      recipient: addressIn(address),
      status: STATUS.exec(rest)?.[0] ?? null,
      action: 'failed',
      diagnostic: /"diagnosticCode"\s*:\s*"((?:[^"\\]|\\.){0,1000})"/u.exec(rest)?.[1] ?? '',
    }))
}

const STATUS = /\b[245]\.\d{1,3}\.\d{1,3}\b/u

/** The first address in a piece of text. */
const addressIn = (text: string): string | null => addressesIn(text)[0] ?? null

const addressesIn = (text: string): string[] =>
  (text.match(/[^\s<>()[\]"',;:=\\]{1,128}@[\p{L}\p{N}](?:[\p{L}\p{N}.-]{0,250}[\p{L}\p{N}])?/gu) ?? []).filter(
    isAddress,
  )

// ---- prose

/** Where the mail that came back begins: what stands there is ours. */
const RETURNED =
  /^[ \t>]*(?:[-=_*]{2,}.{0,30}(?:original|returned|unsent|copy of|undelivered|below this line|message headers|header of).{0,60}|.{0,20}(?:below (?:this line )?is a copy of|message headers follow|original message (?:headers )?(?:follows|below)|original mail as follows|the header of the original|returned message follows|received headers of|original message headers).{0,60}|-{2,} ?(?:message body|元のメッセージ).{0,30})$/imu

const beforeReturned = (text: string): string => {
  const at = RETURNED.exec(text)?.index ?? -1
  return at > 0 ? text.slice(0, at) : text
}

const REPORTER =
  /^(?:mailer[._-]?daemon|mail[._-]?daemon|post[._-]?master|mail[._-]?delivery[\w.-]*|mdaemon|bounces?|mail[._-]?system)(?:[+-].*)?$/iu

/** That something did not arrive, in the words of servers. */
const FAILED =
  /undeliver|not (?:be )?deliver|(?:deliver|send)[a-z]{0,10} (?:fail|problem|error|has failed|to the following|status)|fail(?:ed|ure)|returned mail|return(?:ed|ing) (?:message )?to sender|could(?:n't| not) (?:be|deliver|send)|unable to deliver|rejected|refused|permanent(?:ly)? (?:error|fatal|fail)|error (?:sending|deliver)|was not delivered|did not reach|had trouble|not accepted|does not exist|unknown|no such|invalid (?:user|address|recipient)|unzustellbar|konnte nicht|n'a pas pu|no se (?:ha )?pud|não (?:foi|pôde)|non è stat|niet (?:worden )?(?:bezorgd|afgeleverd)|nie został|не может быть доставлен|не доставлен|недоставлен|配信でき|送信できません|届けることができ|不達|エラー|退信|无法投递|無法傳遞|存在しない|loop alert|\b[45]\d\d[ -]#?[45]\.\d\.\d/iu

const readProse = ({ root, from, to, text, returnPath }: Report, parts: Part[], prose: string): Failure[] => {
  const named = root.headers.all('x-failed-recipients').flatMap(addressesIn)
  const daemon =
    from === null ||
    REPORTER.test(from.address.split('@')[0] ?? '') ||
    REPORTER.test(localRoot(root.headers.first('from') ?? ''))
  const refusesAnswers = returnPath === '' || REPORTER.test(returnPath?.split('@')[0] ?? '')
  const isReport = root.type === 'multipart/report' && /delivery-status/iu.test(root.parameters['report-type'] ?? '')
  const fails = FAILED.test(prose) || FAILED.test(root.headers.first('subject') ?? '')
  const returns = parts.some(({ type }) => type === 'message/rfc822')
  // A list server of Japan that names itself, and reports under the list's address.
  const isList = /\bfml\b/u.test(root.headers.first('x-mlserver') ?? '')
  const unread = NO_REPLY.test(from?.address.split('@')[0] ?? '')
  // Nobody's vacation note is a bounce, whatever its envelope says: it names no status.
  const speaks =
    daemon || (refusesAnswers && (STATUS.test(prose) || /\b5\d\d\b/u.test(prose))) || (unread && returns) || isList
  if (named.length === 0 && !isReport && !(speaks && fails)) return []
  const recipients = named.length > 0 ? named : proseRecipients(prose, [from, ...to], text)
  const returned = parts.find(({ type }) => type === 'message/rfc822')?.children[0]
  const known = recipients.length > 0 ? recipients : addressesIn(returned?.headers.first('to') ?? '')
  const list = [...new Set(known.map((address) => address.toLowerCase()))].slice(0, MOST_RECIPIENTS)
  if (list.length === 0) return [{ recipient: null, status: null, action: 'failed', diagnostic: '' }]
  return list.map((recipient) => ({
    recipient,
    status: null,
    action: 'failed',
    diagnostic: around(prose, recipient, list),
  }))
}

const localRoot = (field: string): string => /([\w.+-]+)\s*(?:<\s*>)?\s*$/u.exec(field.trim())?.[1] ?? ''

/** How a server names who did not get it, from the clearest way to the vaguest. */
const NAMED: RegExp[] = [
  /^[ \t]*(?:rcpt to|final-recipient|original-recipient|recipient(?:s| address)?|failed recipient|to)[ \t]*:[ \t]*(?:rfc822;[ \t]*)?(.*)$/gimu,
  /^[ \t]*(?:>>>[ \t]*|[*•-][ \t]+)?(?:<([^<>\s]{1,128}@[^<>\s]{1,253})>|([^\s<>:@]{1,128}@[^\s<>:@]{1,253}))[ \t]*(?::.*|\.{3}.*|\(.*\))?$/gmu,
  /(?:deliver\w{0,10}|address\w{0,10}|recipient\w{0,10}|mail|message|an|für|to|à|para) (?:[a-z ]{0,60}: ?)?<([^<>\s@]{1,128}@[^<>\s@]{1,253})>/gimu,
]

const proseRecipients = (prose: string, notThem: (Mailbox | null)[], whole: string): string[] => {
  const others = new Set(notThem.map((mailbox) => mailbox?.address.toLowerCase()))
  const pick = (addresses: string[]) => addresses.filter((address) => !others.has(address.toLowerCase()))
  const spoken = prose.replace(
    /^.*\b(?:mail from|message-id|return-path|reply-to|from|sender|envelope-from)\s*[:=].*$/gimu,
    '',
  )
  for (const pattern of NAMED) {
    const all = [...spoken.matchAll(pattern)].flatMap((match) => addressesIn(match.slice(1).join(' ')))
    const found = pick(all)
    if (found.length > 0) return found
    // A report that came back to the address that failed: there is no other.
    if (all.length > 0 && pattern === NAMED[1]) return all.slice(0, 1)
  }
  const anywhere = pick(addressesIn(spoken))
  if (anywhere.length > 0) return anywhere.slice(0, 1)
  const returnedTo = /^to\s*:\s*(.*)$/imu.exec(whole.slice(prose.length))?.[1] ?? ''
  return pick(addressesIn(returnedTo)).slice(0, 1)
}

const LONGEST_DIAGNOSTIC = 1_000

/** What is said after an address, up to the next one. */
const around = (prose: string, recipient: string, all: string[]): string => {
  const at = prose.toLowerCase().indexOf(recipient)
  if (at < 0) return prose
  const from = at + recipient.length
  const rest = prose.slice(from)
  const ends = all
    .filter((other) => other !== recipient)
    .map((other) => rest.toLowerCase().indexOf(other))
    .filter((end) => end >= 0)
  const said = rest.slice(0, ends.length > 0 ? Math.min(...ends) : undefined)
  // Some name the address last.
  return said.trim().length > 10 ? said : prose
}

// ---- what it means

type Judged = Omit<Bounce, 'originalMessageIds' | 'others'>

const judge = (failure: Failure, prose: string): Judged => {
  const told = oneLine(failure.diagnostic, LONGEST_DIAGNOSTIC)
  const said = STATUS.exec(told)?.[0] ?? null
  // Servers in between write 5.0.0 for whatever the last one said.
  const status =
    said && (failure.status === null || /\.0\.0$/u.test(failure.status))
      ? said
      : (failure.status ?? STATUS.exec(prose)?.[0] ?? null)
  const temporary =
    /^delayed/u.test(failure.action) ||
    status?.startsWith('4.') === true ||
    (status === null && /(?:^|[\s:>])4\d\d[\s-]/u.test(told) && !/(?:^|[\s:>])5\d\d[\s-]/u.test(told))
  const reason =
    reasonOf(told, status, failure.action) ??
    reasonOf(oneLine(prose, 8_000), status, failure.action) ??
    byStatus(status) ??
    (temporary ? 'delayed' : 'other')
  // An enhanced code of the class "policy" says that a filter speaks, too.
  const filtered = refusedElsewhere(told) || (/^5\.7\./u.test(status ?? '') && reason !== 'no_mail_accepted')
  const kind = !temporary && HARD.has(reason) && !filtered ? 'hard' : 'soft'
  return { recipient: failure.recipient, kind, reason, status, diagnostic: told }
}

const HARD: ReadonlySet<BounceReason> = new Set(['unknown_user', 'unknown_host', 'moved', 'no_mail_accepted'])

/** It took the address and refused the mail: then a filter speaks, whatever it calls itself. */
const refusedElsewhere = (told: string): boolean =>
  /(?:after|in reply to|did not like our|smtp command:?)(?: the)?(?: final| end of| pipelined)* (?:data|mail from|helo|ehlo|initial connection)/iu.test(
    told,
  )

/** What servers say, the more particular before the more general. */
const WORDS: [BounceReason, RegExp][] = [
  ['unknown_host', /account or domain may not exist/iu],
  // A program on the recipient's side failed; what it says of users is about its own.
  ['mail_system', /procmail|maildrop|could(?:n't| not) create|can(?:'t|not) create/iu],
  [
    'authentication',
    /\b(?:spf|dkim|dmarc)\b|authentication checks? failed|unauthenticated|smtp auth|not authenticated|authentication required/iu,
  ],
  [
    'sender_refused',
    /sender (?:address |domain |verif|was |is |rejected)|reverse dns|\bptr\b|\brdns\b|valid sender domain|mismatches client|helo|purported responsible|relay(?:ing)? (?:access )?(?:denied|not)|no relaying|unable to relay|not permitted to relay|email address is not verified|not allowed to send/iu,
  ],
  [
    'mailbox_full',
    /(?:mail)?box(?:[a-z' ]{0,20})? (?:is )?(?:full|over ?quota|exceed)|over ?quota|quota (?:exceeded|full)|exceed(?:ed|s)?(?: [a-z]+){0,3} quota|insufficient (?:disk )?(?:space|storage)|disk (?:space|full|quota)|full mailbox|storage (?:limit|exceed)|user is out of space|exceeded the local limit|too many messages|out of storage/iu,
  ],
  ['virus', /\bvirus(?:es)?\b|infected|malware/iu],
  [
    'message_too_large',
    /(?:message|size|mail)(?:[a-z' ]{0,30}) (?:too (?:large|big)|exceeds?)|too large|message size/iu,
  ],
  ['spam', /\bspam|\bunsolicited|\bube\b|\bjunk|bulk (?:e?mail|sender)|scored as/iu],
  ['too_fast', /rate (?:limit|that)|too (?:many|fast|much)|throttl|at a rate|connection limit/iu],
  [
    'policy',
    /block(?:ed|list)|black ?list|blocklist|\bdnsbl\b|\brbl\b|banned|access denied|reputation|polic(?:y|ies)|preferences|prohibited|security|not authorized|administratively|(?:client|content|message) rejected|denied by|complaints?|suspicious|protocol violation|not like our mail|refused to talk|service (?:unavailable|not available), closing/iu,
  ],
  [
    'mailbox_disabled',
    /(?:account|mailbox|user|recipient|address)(?:[\w' <>@.-]{0,80}) (?:disabled|suspended|inactive|locked|frozen|deactivated|blocked|not active|temporarily|temporary)|(?:disabled|suspended|inactive|frozen) (?:account|mailbox|user|recipient|address)|out of service/iu,
  ],
  ['moved', /has moved|no longer (?:at|with)|\b551\b/iu],
  [
    'no_mail_accepted',
    /null mx|does ?n[o']t (?:accept|receive) (?:any )?e?mail|no (?:smtp|mail) service|no mx record|find a mail exchanger|not accept mail/iu,
  ],
  [
    'unknown_user',
    /(?:user|recipient|mailbox|account|address|addressee|local part)(?:[\w' <>@.:-]{0,80}?) (?:unknown|not (?:found|known|exist|listed|valid)|does ?n[o']t exist|is invalid|doesn't have)|(?:unknown|invalid|no such|nonexistent|non-existent|not a (?:known|valid)|undeliverable) (?:user|recipient|mailbox|account|address|local|person|virtual|alias|e-?mail)|no mailbox|not (?:our|a) (?:customer|user)|does not have an? [\w.]+ account|bad destination mailbox|mailbox unavailable|not listed in|(?:宛先|アドレス|ユーザー?|メールボックス)[^。]{0,20}存在し(?:ない|ません)|宛先不明|user not (?:found|local)/iu,
  ],
  [
    'unknown_host',
    /(?:host|domain)(?: or domain)?(?: name)? (?:[\w.' -]{0,60})?(?:not found|unknown|does ?n[o']t exist|is not reachable|not exist)|(?:unknown|no such|illegal|invalid|bad destination|unrouteable|unroutable) (?:host|domain|mail domain|system|address|e?mail)|nxdomain|couldn't find any host|name or service not known|no route to host name/iu,
  ],
  [
    'expired',
    /expired|in the queue too long|retry time|undeliverable for|gave up|giving up|timed? ?out|could not be delivered (?:for|within)|too long/iu,
  ],
  [
    'network',
    /connect(?:ion)? (?:refused|timed|reset|lost|dropped)|network|routing loop|hop count|too many hops|name server|establish an smtp|loops back|unreachable|dns (?:error|lookup)|no response/iu,
  ],
  [
    'mail_system',
    /system (?:error|problem|failure)|internal (?:error|system)|local (?:error|configuration)|configuration error|temporary failure|try again later|cannot create|transaction failed|procmail|mailer error|ldap/iu,
  ],
]

const reasonOf = (told: string, status: string | null, action: string): BounceReason | null => {
  if (/^delayed/u.test(action) && told === '') return 'delayed'
  const [reason] = WORDS.find(([, words]) => words.test(told)) ?? []
  // "Policy" and the like stand in many a link below a plain "no such user".
  if (reason === 'policy' && status === '5.1.1' && /user unknown|no such user/iu.test(told)) return 'unknown_user'
  return reason ?? null
}

/** RFC 3463, for those who say nothing else. */
const byStatus = (status: string | null): BounceReason | null => {
  const code = status?.slice(2) ?? ''
  if (/^1\.[136]$/u.test(code)) return code === '1.6' ? 'moved' : 'unknown_user'
  if (code === '1.2' || code === '4.4') return 'unknown_host'
  if (code === '1.10' || code === '7.27') return 'no_mail_accepted'
  if (/^1\.[78]$/u.test(code)) return 'sender_refused'
  if (code === '2.1') return 'mailbox_disabled'
  if (code === '2.2') return 'mailbox_full'
  if (code === '2.3' || code === '3.4') return 'message_too_large'
  if (code === '4.7') return 'expired'
  if (/^4\./u.test(code)) return 'network'
  if (/^[35]\./u.test(code)) return 'mail_system'
  if (/^[67]\./u.test(code)) return 'policy'
  return null
}

/** RFC 5965: the recipient's provider says that the recipient called it spam. The address works; we should not write to it. */
const findComplaint = (report: Report, parts: Part[]): Bounce | null => {
  const feedback = parts.find(({ type }) => type === 'message/feedback-report')
  const returned = parts.find(({ type }) => type === 'message/rfc822')?.children[0]
  // Outlook.com sends no report, but marks the mail that it returns.
  const marked = returned?.headers.first('x-hmxmroriginalrecipient')
  if (!feedback && !marked) return null
  const [fields] = feedback
    ? readBlocks(
        report
          .reads(feedback)
          .slice(0, LONGEST_PROSE)
          .replace(/\n\s*\n/gu, '\n'),
      )
    : []
  const named = [
    fields?.get('original-rcpt-to'),
    fields?.get('removal-recipient'),
    marked,
    returned?.headers.first('to'),
  ]
  return {
    recipient: named.map((value) => addressIn(value ?? '')).find(Boolean) ?? null,
    kind: 'soft',
    reason: 'complaint',
    status: null,
    diagnostic: oneLine(fields?.get('feedback-type') ?? '', 100),
    originalMessageIds: originalIds(report, parts),
    others: [],
  }
}

// ---- which of our mails

const originalIds = ({ root, text, reads }: Report, parts: Part[]): string[] => {
  const ids: (string | null)[] = []
  for (const part of parts) {
    if (part.type === 'message/rfc822' || part.type === 'message/global')
      ids.push(parseMessageId(part.children[0]?.headers.first('message-id')))
    if (/^(?:text\/rfc822-headers|message\/(?:rfc822-headers|global-headers))$/u.test(part.type))
      ids.push(idIn(reads(part)))
  }
  const prose = text.slice(0, LONGEST_PROSE * 2)
  ids.push(idIn(prose.slice(beforeReturned(prose).length)), idIn(prose))
  ids.push(
    parseMessageId(root.headers.first('x-original-message-id')),
    ...parseMessageIds(root.headers.all('in-reply-to')),
    ...parseMessageIds(root.headers.all('references')).reverse(),
  )
  const own = parseMessageId(root.headers.first('message-id'))
  return [...new Set(ids)].filter((id): id is string => id !== null && id !== own).slice(0, 10)
}

const idIn = (text: string): string | null => parseMessageId(/^[ \t>]*message-id\s*:\s*(<[^<>\s]+>)/imu.exec(text)?.[1])
