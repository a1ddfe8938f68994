import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ensureSchema } from '../../src/platform/mongo.js'
import { makeAnswerQuestion, type Answer, type Question } from '../../src/rag/answer.js'
import type { Citation } from '../../src/rag/citations.js'
import { decisionsSchema, makeDecisions } from '../../src/rag/decisions.mongo.js'
import { extract } from '../../src/rag/extract.js'
import { makeSyncFolder } from '../../src/rag/folder.js'
import { knowledgeSchema } from '../../src/rag/documents.mongo.js'
import { MAX_TEXT_LENGTH, type DocumentDraft } from '../../src/rag/drafts.js'
import { makeKnowledge } from '../../src/rag/knowledge.mongo.js'
import { makeSearch } from '../../src/rag/search.mongo.js'
import { openTestMongo } from '../support/mongo.js'

let mongo: Awaited<ReturnType<typeof openTestMongo>>
let now = new Date('2026-03-01T10:00:00Z')
const clock = { now: () => now }
const later = (ms: number) => (now = new Date(now.getTime() + ms))

let knowledge: ReturnType<typeof makeKnowledge>
let search: ReturnType<typeof makeSearch>
let decisions: ReturnType<typeof makeDecisions>
let answerQuestion: ReturnType<typeof makeAnswerQuestion>

beforeAll(async () => {
  mongo = await openTestMongo()
  await ensureSchema(mongo.db, [...knowledgeSchema, ...decisionsSchema])
  knowledge = makeKnowledge({ mongo, clock })
  search = makeSearch({ mongo })
  decisions = makeDecisions({ mongo })
  answerQuestion = makeAnswerQuestion({ search, decisions, model: null, judge: null, clock })
})
afterAll(() => mongo.close())

const indexed = async (companyId: string, draft: DocumentDraft) => {
  const { id } = await knowledge.addDocument(companyId, draft)
  await knowledge.indexDocument(companyId, id)
  return knowledge.getDocument(companyId, id)
}

const ask = (companyId: string, text: string, more: Partial<Question> = {}): Promise<Answer> =>
  answerQuestion({ companyId, text, history: [], ...more }, new AbortController().signal)

const RETURNS = { title: 'Returns', text: 'You can return a parcel within 14 days. The refund arrives after a week.' }
const SHIPPING = { title: 'Shipping', text: 'A parcel to Norway takes five days. Express shipping takes two days.' }

describe('A document', () => {
  it('is queued, then ready and answers', async () => {
    const { id, status } = await knowledge.addDocument('walk', RETURNS)
    expect(status).toBe('queued')
    expect(await ask('walk', 'Within how many days can I return a parcel?')).toMatchObject({
      kind: 'unknown',
      citations: [],
    })
    await knowledge.indexDocument('walk', id)
    expect(await knowledge.getDocument('walk', id)).toMatchObject({
      status: 'ready',
      language: 'en',
      passages: 1,
      version: 1,
    })
    expect(await ask('walk', 'Within how many days can I return a parcel?')).toMatchObject({
      kind: 'grounded',
      text: 'You can return a parcel within 14 days.',
      citations: [{ documentId: id, title: 'Returns', quote: 'You can return a parcel within 14 days.' }],
      mode: 'extractive',
      language: 'en',
    })
  })

  it('that is replaced is quoted no more, from the next answer on', async () => {
    const { id } = await indexed('replacing', RETURNS)
    await knowledge.replaceDocument('replacing', id, { ...RETURNS, text: 'You can return a parcel within 30 days.' })
    expect(await ask('replacing', 'Within how many days can I return a parcel?')).toMatchObject({ kind: 'unknown' })
    await knowledge.indexDocument('replacing', id)
    expect(await ask('replacing', 'Within how many days can I return a parcel?')).toMatchObject({
      text: 'You can return a parcel within 30 days.',
    })
    expect(await mongo.db.collection('passages').countDocuments({ companyId: 'replacing' })).toBe(1)
  })

  it('that is replaced by the same content stays as it is', async () => {
    const { id, version } = await indexed('same', RETURNS)
    expect(await knowledge.replaceDocument('same', id, RETURNS)).toMatchObject({ version, status: 'ready' })
  })

  it('that is deleted is quoted no more', async () => {
    const { id } = await indexed('deleting', RETURNS)
    await knowledge.deleteDocument('deleting', id)
    expect(await ask('deleting', 'Within how many days can I return a parcel?')).toMatchObject({ kind: 'unknown' })
    await expect(knowledge.getDocument('deleting', id)).rejects.toMatchObject({ kind: 'not_found' })
  })

  it('is never quoted from passages that a lagging search index still knows', async () => {
    const { id } = await indexed('lagging', RETURNS)
    await mongo.db.collection<{ _id: string }>('documents').updateOne({ _id: id }, { $inc: { version: 1 } })
    expect(await search.searchPassages({ companyId: 'lagging', query: 'return a parcel', k: 5 })).toEqual([])
  })

  it('whose indexing was cut off by a crash is indexed by the next sweep', async () => {
    const { id } = await knowledge.addDocument('crashing', RETURNS)
    // A process took it and was killed: indexing, with a lease.
    await mongo.db
      .collection<{ _id: string }>('documents')
      .updateOne(
        { _id: id },
        { $set: { status: 'indexing', dueAt: new Date(now.getTime() + 60_000) }, $inc: { attempts: 1 } },
      )
    const due = async () => (await knowledge.dueDocuments(now)).filter(({ companyId }) => companyId === 'crashing')
    expect(await due()).toEqual([])
    await knowledge.indexDocument('crashing', id)
    expect(await knowledge.getDocument('crashing', id)).toMatchObject({ status: 'indexing' })
    later(60_001)
    expect(await due()).toEqual([{ companyId: 'crashing', documentId: id }])
    await knowledge.indexDocument('crashing', id)
    expect(await knowledge.getDocument('crashing', id)).toMatchObject({ status: 'ready' })
    expect(await due()).toEqual([])
  })

  it('that is indexed twice at once has its passages once', async () => {
    const { id } = await knowledge.addDocument('twice', RETURNS)
    await Promise.all([knowledge.indexDocument('twice', id), knowledge.indexDocument('twice', id)])
    expect(await mongo.db.collection('passages').countDocuments({ companyId: 'twice' })).toBe(1)
  })

  it('that cannot be read fails with a reason for people', async () => {
    expect(await indexed('failing', { title: 'Empty', text: '<script>only()</script>', format: 'html' })).toMatchObject(
      {
        status: 'failed',
        reason: 'The document contains no text that could be read.',
      },
    )
    expect(await knowledge.dueDocuments(now)).not.toContainEqual(expect.objectContaining({ companyId: 'failing' }))
  })

  it.each([
    [{ title: '', text: 'a' }, 'invalid', 'title'],
    [{ title: 'x'.repeat(201), text: 'a' }, 'too_large', 'title'],
    [{ title: 'x', text: ' ' }, 'invalid', 'text'],
    [{ title: 'x', text: 'y'.repeat(MAX_TEXT_LENGTH + 1) }, 'too_large', 'text'],
    [{ title: 'x', text: { $gt: '' } as unknown as string }, 'invalid', 'text'],
    [{ title: { $ne: null } as unknown as string, text: 'a' }, 'invalid', 'title'],
    [{ title: 'x', text: 'a', metadata: { $where: 'x' } }, 'invalid', 'metadata'],
    [{ title: 'x', text: 'a', language: '$en' }, 'invalid', 'language'],
  ])('%# with bad input is refused by the name of the field', async (draft, kind, field) => {
    await expect(knowledge.addDocument('refusing', draft)).rejects.toMatchObject({ kind, field })
    expect(await knowledge.listDocuments('refusing')).toEqual([])
  })

  it('whose title has path parts is only text', async () => {
    const { title } = await indexed('titles', { ...RETURNS, title: '../../etc/passwd\n<b>' })
    expect(title).toBe('../../etc/passwd <b>')
  })

  it('is listed newest first, page by page', async () => {
    for (const title of ['one', 'two', 'three']) {
      later(1_000)
      await knowledge.addDocument('listing', { title, text: 'x' })
    }
    const first = await knowledge.listDocuments('listing', { limit: 2 })
    expect(first.map(({ title }) => title)).toEqual(['three', 'two'])
    const before = first[1]
    const second = await knowledge.listDocuments('listing', { limit: 2, ...(before ? { before } : {}) })
    expect(second.map(({ title }) => title)).toEqual(['one'])
    expect(first[0]).not.toHaveProperty('text')
  })
})

describe('Search', () => {
  it('never shows one company the passages of another', async () => {
    await indexed('tenant-a', RETURNS)
    await indexed('tenant-b', SHIPPING)
    const found = await search.searchPassages({ companyId: 'tenant-b', query: 'return parcel days', k: 50 })
    expect(found.map(({ title }) => title)).toEqual(['Shipping'])
    expect(await ask('tenant-b', 'Within how many days can I return a parcel?')).toMatchObject({ kind: 'unknown' })
    expect(await search.searchPassages({ companyId: 'tenant-c', query: 'parcel', k: 50 })).toEqual([])
    const [own] = await knowledge.listDocuments('tenant-a')
    await expect(knowledge.getDocument('tenant-b', own?.id ?? '')).rejects.toMatchObject({ kind: 'not_found' })
    await expect(knowledge.deleteDocument('tenant-b', own?.id ?? '')).rejects.toMatchObject({ kind: 'not_found' })
    await expect(knowledge.replaceDocument('tenant-b', own?.id ?? '', SHIPPING)).rejects.toMatchObject({
      kind: 'not_found',
    })
  })

  it('is not crowded out by other companies: the company is a filter inside of the search', async () => {
    const many = Array.from(
      { length: 60 },
      (_, part) => `## Part ${part}\n\nReturn a parcel: return the parcel ${part}.`,
    )
    await indexed('crowd', { title: 'Return a parcel', text: many.join('\n\n'), format: 'markdown' })
    await indexed('alone', SHIPPING)
    const found = await search.searchPassages({ companyId: 'alone', query: 'return a parcel', k: 5 })
    expect(found.map(({ title }) => title)).toEqual(['Shipping'])
  })

  it('is narrowed by document, language, audience and metadata', async () => {
    const open = await indexed('filters', { ...RETURNS, metadata: { product: 'shoes', year: 2026 } })
    await indexed('filters', { title: 'For staff', text: 'Staff return a parcel at the desk.', audience: 'staff' })
    await indexed('filters', { title: 'Rückgabe', text: 'Sie können das Paket (parcel) in 14 Tagen zurückgeben.' })
    const titles = async (filter: Parameters<typeof search.searchPassages>[0]['filter']) =>
      (await search.searchPassages({ companyId: 'filters', query: 'return parcel', k: 10, filter }))
        .map(({ title }) => title)
        .sort()
    expect(await titles({})).toEqual(['For staff', 'Returns', 'Rückgabe'])
    expect(await titles({ documentId: open.id })).toEqual(['Returns'])
    expect(await titles({ language: 'de' })).toEqual(['Rückgabe'])
    expect(await titles({ audience: 'public' })).toEqual(['Returns', 'Rückgabe'])
    expect(await titles({ audience: 'staff' })).toEqual(['For staff', 'Returns', 'Rückgabe'])
    expect(await titles({ metadata: { product: 'shoes', year: 2026 } })).toEqual(['Returns'])
    expect(await titles({ metadata: { product: 'hats' } })).toEqual([])
  })

  it('treats what somebody types as words, whatever it looks like', async () => {
    await indexed('typing', RETURNS)
    for (const query of ['{"$gt": ""}', '$where: 1', 'return* AND (parcel OR', '"; drop', 'parcel '.repeat(2_000)]) {
      await expect(search.searchPassages({ companyId: 'typing', query, k: 5 })).resolves.toBeInstanceOf(Array)
    }
  })
})

describe('An answer', () => {
  it('cites passages by what stands in them, word for word', async () => {
    await indexed('citing', RETURNS)
    const { text, citations } = await ask('citing', 'When does the refund arrive after I return a parcel?')
    const quoted = async ({ passageId, documentId, quote }: Citation) => {
      const passage = await mongo.db
        .collection<{ _id: string; text: string; documentId: string }>('passages')
        .findOne({ _id: passageId, companyId: 'citing' })
      return passage?.documentId === documentId && passage.text.includes(quote)
    }
    expect(citations.length).toBeGreaterThan(0)
    for (const citation of citations) expect(await quoted(citation)).toBe(true)
    expect(text).toBe(citations.map(({ quote }) => quote).join(' '))
  })

  it.each([
    ['zh', '退货', '您可以在十四天内退货。运费由买家承担。', '几天内可以退货？', '您可以在十四天内退货。'],
    [
      'ja',
      '返品',
      '商品は十四日以内に返品できます。送料はお客様の負担です。',
      '返品の送料は誰の負担ですか？',
      '送料はお客様の負担です。',
    ],
    [
      'ar',
      'الإرجاع',
      'يمكنك إرجاع الطرد خلال أربعة عشر يوما. تصل الأموال بعد أسبوع.',
      'متى تصل الأموال؟',
      'تصل الأموال بعد أسبوع.',
    ],
    [
      'ru',
      'Возврат',
      'Посылку можно вернуть за две недели. Деньги приходят через неделю.',
      'Когда приходят деньги?',
      'Деньги приходят через неделю.',
    ],
  ])('in %s is found in documents titled %s', async (language, title, document, question, quote) => {
    expect(await indexed(`in-${language}`, { title, text: document })).toMatchObject({ language })
    const answer = await ask(`in-${language}`, question)
    expect(answer).toMatchObject({ kind: 'grounded', language })
    expect(answer.text).toContain(quote)
  })

  it('that is not known says so in the language of the question', async () => {
    await indexed('languages', RETURNS)
    for (const [question, text, language] of [
      ['Who invented the telephone?', "I don't know that.", 'en'],
      ['Wer hat das Telefon erfunden?', 'Das weiß ich nicht.', 'de'],
      ['¿Quién inventó el teléfono?', 'Eso no lo sé.', 'es'],
      ['Quem é que inventou o telefone?', 'Não sei isso.', 'pt'],
      ['Qui a inventé le téléphone ?', 'Je ne sais pas.', 'fr'],
      ['Chi ha inventato il telefono?', 'Non lo so.', 'it'],
      ['電話を発明したのは誰ですか', "I don't know that.", 'ja'],
    ] as const) {
      expect(await ask('languages', question)).toMatchObject({ kind: 'unknown', text, language, citations: [] })
    }
  })

  it('is for the public unless an audience asks', async () => {
    await indexed('audience', { ...RETURNS, audience: 'staff' })
    const question = 'Within how many days can I return a parcel?'
    expect(await ask('audience', question)).toMatchObject({ kind: 'unknown' })
    expect(await ask('audience', question, { audience: 'staff' })).toMatchObject({ kind: 'grounded' })
  })

  it('hears the question in a longer message', async () => {
    await indexed('story', RETURNS)
    const message = 'My cousin bought shoes from your shop in Lisbon. They hurt a lot. When does the refund arrive?'
    expect((await ask('story', message)).text).toContain('The refund arrives after a week.')
  })

  it('in several languages is found with the analysis of each', async () => {
    await indexed('mixed', RETURNS)
    await indexed('mixed', {
      title: 'Versand',
      text: 'Der Versand nach Norwegen dauert fünf Tage. Express kostet extra.',
    })
    expect((await ask('mixed', 'Wie lange dauert der Versand nach Norwegen?')).text).toBe(
      'Der Versand nach Norwegen dauert fünf Tage.',
    )
    expect((await ask('mixed', 'When does the refund arrive?')).text).toContain('The refund arrives after a week.')
  })

  it('leaves a decision that explains it, for its own company only', async () => {
    const { id } = await indexed('deciding', RETURNS)
    const { decisionId, text } = await ask('deciding', 'When does the refund arrive?', { conversationId: 'con_1' })
    const decision = await decisions.getDecision('deciding', decisionId)
    expect(decision).toMatchObject({
      conversationId: 'con_1',
      question: 'When does the refund arrive?',
      candidates: [{ documentId: id, version: 1 }],
      verdict: { answered: true },
      answer: { kind: 'grounded', text },
    })
    expect(decision.verdict.reason).toContain('2 of 2 content words')
    await expect(decisions.getDecision('replacing', decisionId)).rejects.toMatchObject({ kind: 'not_found' })
  })

  it('can be repeated from its decision and the passages that it names', async () => {
    await indexed('replaying', RETURNS)
    await indexed('replaying', SHIPPING)
    const { decisionId, text } = await ask('replaying', 'How many days does a parcel to Norway take?')
    const { analysed, candidates, verdict } = await decisions.getDecision('replaying', decisionId)
    const stored = await mongo.db
      .collection<{ _id: string }>('passages')
      .find({ _id: { $in: candidates.map(({ passageId }) => passageId) } })
      .toArray()
    const replayed = extract(
      candidates.map(({ passageId, score, features, language }) => {
        const { _id, ...passage } = stored.find((found) => found._id === passageId) as never as { _id: string }
        const query = analysed.find((each) => each.language === language)
        if (!query) throw new Error('no query')
        return {
          candidate: { passageId: _id, ...passage } as never,
          score,
          features,
          query: {
            language,
            words: query.words,
            weights: query.words.map(({ weight }) => weight),
            unseen: query.words.map(({ unseen }) => unseen),
            terms: query.terms.map(({ term }) => term),
            termWeights: new Map(query.terms.map(({ term, weight }) => [term, weight])),
          },
        }
      }),
    )
    expect(replayed.text).toBe(text)
    expect(replayed.verdict).toEqual(verdict)
  })

  it('stops when it is no longer wanted', async () => {
    const stop = new AbortController()
    stop.abort()
    await expect(
      answerQuestion({ companyId: 'replaying', text: 'How long?', history: [] }, stop.signal),
    ).rejects.toThrow()
  })
})

describe('A folder', () => {
  it('becomes the documents that are in it, and follows its changes', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'helpdesk-folder-'))
    const sync = makeSyncFolder({ knowledge })
    const name = path.basename(folder)
    try {
      await mkdir(path.join(folder, 'deep'))
      await writeFile(path.join(folder, 'a.md'), '# About parcels\n\nA parcel is a box.')
      await writeFile(path.join(folder, 'deep', 'b.txt'), 'Letters are flat.')
      await writeFile(path.join(folder, 'empty.txt'), ' ')
      await writeFile(path.join(folder, 'picture.png'), 'no text')
      await symlink('/etc', path.join(folder, 'outside'))
      expect(await sync('folder', folder)).toEqual({
        added: [`${name}/a.md`, `${name}/deep/b.txt`],
        replaced: [],
        unchanged: [],
        deleted: [],
        skipped: [
          { path: `${name}/outside`, reason: 'It is a link that leads out of the folder.' },
          { path: `${name}/empty.txt`, reason: 'It is empty.' },
        ],
      })
      expect((await knowledge.listDocuments('folder')).map(({ title }) => title).sort()).toEqual(['About parcels', 'b'])
      await knowledge.addDocument('folder', RETURNS)

      await writeFile(path.join(folder, 'a.md'), '# About parcels\n\nA parcel is a bag.')
      await rm(path.join(folder, 'deep'), { recursive: true })
      expect(await sync('folder', folder)).toMatchObject({
        added: [],
        replaced: [`${name}/a.md`],
        unchanged: [],
        deleted: [`${name}/deep/b.txt`],
      })
      expect(await sync('folder', [{ path: folder, glob: '*.md' }])).toMatchObject({ unchanged: [`${name}/a.md`] })
      expect((await knowledge.listDocuments('folder', { source: 'api' })).map(({ title }) => title)).toEqual([
        'Returns',
      ])
      await expect(sync('folder', path.join(folder, 'missing'))).rejects.toMatchObject({ code: 'folder_missing' })
      expect(await knowledge.listDocuments('folder', { source: 'folder' })).toHaveLength(1)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
