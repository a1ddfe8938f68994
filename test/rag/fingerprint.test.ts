import { describe, expect, it } from '@jest/globals'
import { fingerprintOf, foldDuplicates } from '../../src/rag/fingerprint.js'

const NOTICE =
  'All prices include the value added tax. The goods remain our property until they are paid for in full. Claims lapse after a year, unless the law says otherwise, and the courts of our seat decide about them. Please keep the invoice as a proof of your purchase.'

const TERMS = `${NOTICE} Whoever buys as a consumer may withdraw from the contract within the period that the law grants, without giving a reason, by writing to us or by sending the goods back. We return the money by the way on which it came, at the latest when the goods have arrived or their sending is proved. The costs of sending them back are borne by the buyer, who is told so before the purchase. Goods that were made to measure are excepted, as are sealed goods that were opened.`

/** Which of the texts are left, in order. */
const left = (...texts: string[]) => {
  const kept = foldDuplicates(
    texts.map((text, at) => ({ at, fingerprint: fingerprintOf(text) })),
    ({ fingerprint }) => fingerprint,
  )
  return kept.map(({ at }) => at)
}

describe('Passages that say the same thing', () => {
  it('are one, whichever document they stand in', () => {
    expect(left(NOTICE, 'Something else about shoes.', NOTICE, NOTICE)).toEqual([0, 1])
  })

  it.each([
    ['other white space and capitals', NOTICE.toUpperCase().replaceAll(' ', '\n')],
    ['typographic signs', NOTICE.replaceAll('.', ' …').replaceAll(',', ' –')],
    ['a word more', `${NOTICE} Thanks!`],
    ['a slip of the pen', TERMS.replace('invoice', 'invoise')],
  ])('are one with %s', (_name, other) => {
    expect(left(NOTICE, TERMS, other)).toEqual([0, 1])
  })

  it.each([
    ['another figure', NOTICE.replace('a year', '2 years'), NOTICE.replace('a year', '3 years')],
    ['a negation', NOTICE, NOTICE.replace('prices include', 'prices do not include')],
    ['no exception', NOTICE, NOTICE.replace(', unless the law says otherwise,', '')],
    ['another subject in a short text', 'The Gold plan has phone support.', 'The Silver plan has email support.'],
    ['half of it', NOTICE, NOTICE.slice(0, NOTICE.length / 2)],
  ])('are two with %s', (_name, one, other) => {
    expect(left(one, other)).toEqual([0, 1])
  })

  it('keep the best, which comes first', () => {
    expect(left('a first one', NOTICE, `${NOTICE} `, 'a last one')).toEqual([0, 1, 3])
  })

  it('that were indexed before there were fingerprints are like nothing else', () => {
    expect(foldDuplicates([undefined, undefined], (one) => one)).toEqual([undefined, undefined])
  })

  it('of texts that differ hardly ever look alike', () => {
    const words =
      'parcel refund norway invoice battery screen garden lamp shoe paint wire salt the of is a to and in'.split(' ')
    let seed = 20_260_301
    const random = () => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
    const texts = Array.from({ length: 400 }, () =>
      Array.from({ length: 40 }, () => words[Math.floor(random() * words.length)]).join(' '),
    )
    expect(left(...texts).length).toBe(400)
  })
})
