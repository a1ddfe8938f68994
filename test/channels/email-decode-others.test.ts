import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { simpleParser } from 'mailparser'
import { createTransport } from 'nodemailer'
import { decodeEmail } from '../../src/channels/email/decode.js'

/** Two programs that are not ours: one that writes mail, and another that reads it. */
const writer = createTransport({ streamTransport: true, buffer: true })

const words = fc
  .array(
    fc.constantFrom('blau', 'größer', 'заказ', '注文', 'pedido', '€ 10', '=C3', 'a@b', '🙂', 'e\u0301', 'x'.repeat(90)),
    {
      minLength: 1,
      maxLength: 30,
    },
  )
  .map((list) => list.join(' '))

describe('a mail that another program wrote', () => {
  it('is read as it was meant, and as another program reads it', async () => {
    const written = fc.record({
      subject: words,
      name: words.map((text) => [...text].slice(0, 60).join('').trim()),
      text: words,
      encoding: fc.constantFrom('base64' as const, 'quoted-printable' as const),
      file: fc.uint8Array({ minLength: 1, maxLength: 3_000 }),
      filename: words.map((text) => `${[...text].slice(0, 40).join('').trim()}.pdf`),
    })
    await fc.assert(
      fc.asyncProperty(written, async ({ subject, name, text, encoding, file, filename }) => {
        const { message } = await writer.sendMail({
          from: { name, address: 'ana@example.org' },
          to: 'help@example.com',
          subject,
          text,
          textEncoding: encoding,
          attachments: [{ filename, content: Buffer.from(file) }],
        })
        const raw = message as Buffer
        const ours = await decodeEmail(raw)
        expect(ours.subject).toBe(subject)
        expect(ours.from).toEqual({ name, address: 'ana@example.org' })
        expect(ours.text.trim()).toBe(text)
        expect(ours.attachments).toHaveLength(1)
        expect(ours.attachments[0]?.content.equals(Buffer.from(file))).toBe(true)
        expect(ours.attachments[0]?.filename).toBe(filename.normalize('NFC'))

        const theirs = await simpleParser(raw)
        expect(ours.messageId).toBe(theirs.messageId)
        expect(ours.text.trim()).toBe(theirs.text?.trim())
        expect(ours.attachments[0]?.content.equals(theirs.attachments[0]?.content as Buffer)).toBe(true)
      }),
      { numRuns: 150 },
    )
  })
})
