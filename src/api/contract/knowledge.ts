import { z } from 'zod'
import { byId, defineRoute, fields, id, time } from './route.js'

const tag = 'Knowledge'

const KNOWLEDGE_BODY_LIMIT = 3 * 1024 * 1024

/** The limits that rag/knowledge.mongo.ts guards, said here because browsers read this file too. */
const MAX_TITLE_LENGTH = 200
const MAX_TEXT_LENGTH = 2_000_000
const MAX_METADATA_ENTRIES = 50
const MAX_FILE_MEGABYTES = 50

const format = z.enum(['markdown', 'html', 'text', 'csv'])
const language = z.string().regex(/^[a-z]{2,3}$/, 'is not an ISO 639 language code such as "en"')
/** `public` is for everybody; any other name is for who asks with it. */
const audience = z.string().trim().min(1).max(100)
const metadata = fields(
  z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'takes letters, digits, _ and - in the names of its fields'),
  z.union([z.string().max(500), z.number(), z.boolean()]),
).refine((given) => Object.keys(given).length <= MAX_METADATA_ENTRIES, `holds more than ${MAX_METADATA_ENTRIES} fields`)

const documentBody = z.strictObject({
  title: z.string().trim().min(1).max(MAX_TITLE_LENGTH),
  text: z.string().min(1).max(MAX_TEXT_LENGTH),
  format: format.optional().describe('Told from the text where absent'),
  metadata: metadata.optional(),
  language: language.optional().describe('Detected where absent'),
  audience: audience.optional(),
})

/** The fields beside a file; each comes as text. */
const form = {
  about: `A .pdf, .docx, .html, .md, .txt or .csv of at most ${MAX_FILE_MEGABYTES} MB`,
  fields: z.strictObject({
    title: documentBody.shape.title
      .optional()
      .describe("Where absent, the document's own title or the name of the file is taken"),
    language: language.optional().describe('Detected where absent'),
    audience: audience.optional(),
    metadata: z
      .string()
      .transform((text, context): unknown => {
        try {
          return JSON.parse(text)
        } catch {
          context.addIssue({ code: 'custom', message: 'is not valid JSON' })
          return z.NEVER
        }
      })
      .pipe(metadata)
      .optional()
      .describe('An object as JSON'),
  }),
}

const status = z.enum(['queued', 'indexing', 'ready', 'failed'])

const document = z.strictObject({
  id,
  title: z.string(),
  status,
  progress: z.number().describe('How far indexing is, from 0 to 1'),
  reason: z.string().nullable().describe('Why it failed'),
  note: z.string().nullable().describe('What was left out although it is ready'),
  attempts: z.array(z.string()).describe('How it tries to instruct the assistant; such sentences are never quoted'),
  source: z.enum(['api', 'folder']),
  format: z.enum([...format.options, 'pdf', 'docx']),
  file: z.strictObject({ name: z.string(), size: z.number() }).nullable(),
  pages: z.number().nullable(),
  language: z.string().nullable(),
  audience,
  metadata,
  version: z.number(),
  passages: z.number(),
  createdAt: time,
  updatedAt: time,
})
export type DocumentDto = z.input<typeof document>

export const citation = z.strictObject({
  documentId: id,
  passageId: id,
  title: z.string(),
  quote: z.string().describe('Stands verbatim in the passage'),
  headings: z.array(z.string()).optional(),
  page: z.number().nullable().optional(),
})
const accepted = z.strictObject({ id, status })

export const knowledgeRoutes = {
  addDocument: defineRoute({
    method: 'post',
    path: '/api/v1/knowledge/documents',
    tag,
    summary: 'Add a document; it is answered from once its status is ready. The same file again is the same document',
    permission: 'knowledge:write',
    body: documentBody,
    bodyLimit: KNOWLEDGE_BODY_LIMIT,
    form,
    status: 202,
    response: accepted,
  }),
  listDocuments: defineRoute({
    method: 'get',
    path: '/api/v1/knowledge/documents',
    tag,
    summary: 'List the documents, newest first',
    permission: 'knowledge:read',
    query: z.strictObject({
      cursor: z.string().min(1).max(500).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
    status: 200,
    response: z.strictObject({ documents: z.array(document), nextCursor: z.string().nullable() }),
  }),
  getDocument: defineRoute({
    method: 'get',
    path: '/api/v1/knowledge/documents/:id',
    tag,
    summary: 'One document and how far its indexing is',
    permission: 'knowledge:read',
    params: byId,
    status: 200,
    response: document,
    errors: ['not_found'],
  }),
  replaceDocument: defineRoute({
    method: 'put',
    path: '/api/v1/knowledge/documents/:id',
    tag,
    summary: 'Replace a document; the next answer after it is ready rests on the new text',
    permission: 'knowledge:write',
    params: byId,
    body: documentBody,
    bodyLimit: KNOWLEDGE_BODY_LIMIT,
    form,
    status: 202,
    response: accepted,
    errors: ['not_found', 'conflict'],
  }),
  downloadOriginal: defineRoute({
    method: 'get',
    path: '/api/v1/knowledge/documents/:id/original',
    tag,
    summary: 'The file as it was uploaded, or the text as it was sent',
    permission: 'knowledge:read',
    params: byId,
    status: 200,
    download: true,
    errors: ['not_found'],
  }),
  removeDocument: defineRoute({
    method: 'delete',
    path: '/api/v1/knowledge/documents/:id',
    tag,
    summary: 'Remove a document; the next answer does not know it',
    permission: 'knowledge:write',
    params: byId,
    status: 204,
    errors: ['not_found'],
  }),
  search: defineRoute({
    method: 'post',
    path: '/api/v1/knowledge/search',
    tag,
    summary: 'The passages that fit a query best',
    permission: 'knowledge:read',
    body: z.strictObject({
      query: z.string().trim().min(1).max(2000),
      k: z.number().int().min(1).max(50).default(10),
      filter: z
        .strictObject({ language: language.optional(), audience: audience.optional(), metadata: metadata.optional() })
        .optional(),
    }),
    status: 200,
    response: z.strictObject({
      passages: z.array(
        z.strictObject({ documentId: id, passageId: id, title: z.string(), text: z.string(), score: z.number() }),
      ),
    }),
  }),
  ask: defineRoute({
    method: 'post',
    path: '/api/v1/knowledge/ask',
    tag,
    summary: 'The answer that a customer would get, with its proof',
    permission: 'knowledge:read',
    body: z.strictObject({ question: z.string().trim().min(1).max(2000) }),
    status: 200,
    response: z.strictObject({
      kind: z.enum(['grounded', 'unknown']),
      text: z.string(),
      citations: z.array(citation),
      mode: z.enum(['model', 'extractive']),
      decisionId: id,
    }),
  }),
  getDecision: defineRoute({
    method: 'get',
    path: '/api/v1/decisions/:id',
    tag,
    summary: 'Why the assistant said what it said',
    permission: 'decisions:read',
    params: byId,
    query: z.strictObject({
      replay: z
        .enum(['1'])
        .optional()
        .describe("Judges the model's sentences and what was asked back again, by the rules and documents of today"),
    }),
    status: 200,
    response: z.looseObject({ id }),
    errors: ['not_found'],
  }),
}
