let written = 0

export const letter = ({
  from,
  to = 'support@acme.example',
  cc,
  subject,
  text,
  id,
  inReplyTo,
  references,
  headers = {},
  date,
}) => {
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
export const fieldOf = (raw, name) => {
  const [head = ''] = raw.split(/\r?\n\r?\n/, 1)
  const unfolded = head.replace(/\r?\n[ \t]+/g, ' ')
  return new RegExp(`^${name}: (.*)$`, 'im').exec(unfolded)?.[1]?.trim() ?? null
}
