import type { Mail } from '../platform/mail.js'
import type { Invitation } from './companies.js'

/** The names in it were typed by people: kept short and on one line, so that nobody sends a letter of their own by it. */
export const invitationMail = ({ to, name, by, company, setupUrl }: Invitation): Mail => ({
  to,
  subject: `${line(by)} invites you to ${line(company)}`,
  text: [
    `Hello ${line(name)},`,
    '',
    `${line(by)} invites you to answer customers of ${line(company)}.`,
    'This link sets up your account. It works once and for seven days:',
    '',
    setupUrl,
    '',
    'If you did not expect this, do nothing: without the link nothing happens.',
    '',
  ].join('\n'),
})

const LONGEST_NAME = 60

const line = (given: string): string => {
  // No address can be clicked in a name.
  const plain = given
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .replaceAll(/[:/<>]/g, '')
    .trim()
  return plain.length > LONGEST_NAME ? `${plain.slice(0, LONGEST_NAME - 1)}…` : plain
}
