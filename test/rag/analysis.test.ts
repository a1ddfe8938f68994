import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { terms, tokens } from '../../src/rag/analysis.js'
import { detectLanguage } from '../../src/rag/languages.js'

const same = (language: string, a: string, b: string) => expect(terms(a, language)).toEqual(terms(b, language))

describe('Words of a language', () => {
  it.each([
    ['en', 'returned', 'returns'],
    ['en', 'RETURN', 'return'],
    ['en', "the customer's parcel", 'customers parcels'],
    ['de', 'Straße', 'strasse'],
    ['de', 'Bücher', 'Buch'],
    ['de', 'Rückgabe', 'Rueckgabe'],
    ['es', 'suscripción', 'suscripciones'],
    ['es', '¿Cuántos años?', 'años'],
    ['pt', 'devoluções', 'devolução'],
    ['fr', "l'abonnement", 'les abonnements'],
    ['ar', 'كِتَاب', 'كتاب'],
    ['en', 'ｆｕｌｌ ｗｉｄｔｈ', 'full width'],
    ['en', '1,000 parcels', '1000 parcels'],
  ])('in %s "%s" and "%s" are found by each other', (language, a, b) => {
    const [wanted, found] = [terms(a, language), new Set(terms(b, language))]
    expect(wanted.length).toBeGreaterThan(0)
    expect(wanted.some((term) => found.has(term))).toBe(true)
  })

  it('leaves out what carries no topic, but not an acronym that looks like it', () => {
    same('en', 'What is the price of it?', 'price')
    expect(terms('our IT department', 'en')).toContain('it')
  })

  it.each([
    ['HELPDESK_API_KEY', ['helpdesk_api_key', 'helpdesk', 'api', 'key']],
    ['findOneAndUpdate', ['findoneandupd', 'find', 'updat']],
    ['/health/live', ['health/live', 'health', 'live']],
    ['e-mail', ['email', 'mail']],
    ['config.port', ['config.port', 'config', 'port']],
  ])('finds %s whole and by its parts', (name, wanted) => {
    expect(terms(name, 'en')).toEqual(expect.arrayContaining(wanted))
  })

  it.each([
    ['zh', '如何取消我的订阅？', '取消订阅'],
    ['ja', '東京の大学はどこですか', '東京大学'],
    ['th', 'ฉันจะยกเลิกได้อย่างไร', 'ยกเลิก'],
  ])('finds words of %s, which has no spaces', (language, text, part) => {
    const found = new Set(terms(text, language))
    expect(terms(part, language).filter((term) => found.has(term)).length).toBeGreaterThan(0)
  })

  it('never makes a term with white space, and points at the words it came from', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('en', 'de', 'ja', 'ar', 'und'), (text, language) => {
        for (const { term, start, end } of tokens(text, language)) {
          expect(term).toMatch(/^\S+$/u)
          expect(text.slice(start, end).length).toBeGreaterThan(0)
        }
      }),
    )
  })
})

describe('Language of a text', () => {
  it.each([
    ['How do I start it?', 'en'],
    ['Wie starte ich den Server?', 'de'],
    ['¿Cómo empiezo?', 'es'],
    ['Quais são os preços?', 'pt'],
    ['Comment annuler ma commande ?', 'fr'],
    ['Come posso annullare?', 'it'],
    ['如何取消我的订阅？', 'zh'],
    ['東京の大学はどこですか', 'ja'],
    ['كيف يمكنني إلغاء الاشتراك', 'ar'],
    ['Как отменить подписку?', 'ru'],
    ['The Los Angeles Dodgers play in Los Angeles.', 'en'],
  ])('"%s" is %s', async (text, language) => {
    expect(await detectLanguage(text)).toBe(language)
  })

  it('is left open where two letters cannot tell it', async () => {
    expect(await detectLanguage('ok')).toBeUndefined()
    expect(await detectLanguage('12345')).toBeUndefined()
  })

  it('asks the detector where function words do not decide', async () => {
    expect(await detectLanguage('Pakiranje, odjemanje, prevzemanje paketov in urejanje pošiljk kupcev trgovine')).toBe(
      'sl',
    )
    expect(await detectLanguage('Saadetised, pakendamine, tagastamine ning kauba vahetamine meie kaupluses täna')).toBe(
      'et',
    )
  })

  it('is that of the documents where one misspelt word looks like another', async () => {
    expect(await detectLanguage('wen is the shop opn', ['en'])).toBe('en')
    expect(await detectLanguage('Wen kann ich fragen?', ['en'])).toBe('de')
  })
})
