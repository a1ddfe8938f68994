/** Mails as people's programs write them, as far as a test needs it. */

export type Letter = {
  from: string
  to?: string
  cc?: string
  subject?: string
  text: string
  id?: string | null
  inReplyTo?: string
  references?: string[]
  headers?: Record<string, string>
  date?: Date
}

let written = 0

export const letter = ({ from, to = 'support@acme.example', cc, subject, text, id, inReplyTo, references, headers = {}, date }: Letter): string => {
  written += 1
  const messageId = id === undefined ? `<letter-${written}-${process.pid}@customer.example>` : id
  return [
    `From: ${from}`,
    `To: ${to}`,
    ...(cc ? [`Cc: ${cc}`] : []),
    ...(subject === undefined ? [] : [`Subject: ${subject}`]),
    ...(messageId === null ? [] : [`Message-ID: ${messageId}`]),
    ...(inReplyTo ? [`In-Reply-To: ${inReplyTo}`] : []),
    ...(references ? [`References: ${references.join(' ')}`] : []),
    `Date: ${(date ?? new Date()).toUTCString()}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
    text,
    '',
  ].join('\r\n')
}

/** One field of a raw mail, unfolded. */
export const fieldOf = (raw: string, name: string): string | null => {
  const [head = ''] = raw.split(/\r?\n\r?\n/, 1)
  const unfolded = head.replace(/\r?\n[ \t]+/g, ' ')
  return new RegExp(`^${name}: (.*)$`, 'im').exec(unfolded)?.[1]?.trim() ?? null
}
