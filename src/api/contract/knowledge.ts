import { z } from 'zod'
import { byId, defineRoute, id, time } from './route.js'

const tag = 'Knowledge'

/** The longest text of one document, in characters (UTF-16 code units). */
const MAX_TEXT = 1_000_000
const KNOWLEDGE_BODY_LIMIT = 3 * 1024 * 1024

const language = z.string().regex(/^[a-z]{2,3}$/, 'is not an ISO 639 language code such as "en"')
const audience = z.enum(['public', 'internal'])
const metadata = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_-]{0,59}$/, 'must start with a letter and hold letters, digits, _ and - only'),
    z.union([z.string().max(500), z.number(), z.boolean()]),
  )
  .refine((fields) => Object.keys(fields).length <= 30, 'holds more than 30 fields')

const documentBody = z.strictObject({
  title: z.string().trim().min(1).max(300),
  text: z.string().min(1).max(MAX_TEXT),
  format: z.enum(['markdown', 'html', 'text']).default('markdown'),
  metadata: metadata.default({}),
  language: language.optional(),
  audience: audience.default('public'),
})

const document = z.strictObject({
  id,
  title: z.string(),
  status: z.enum(['queued', 'indexing', 'ready', 'failed']),
  reason: z.string().optional(),
  format: z.enum(['markdown', 'html', 'text']),
  language: z.string().nullable(),
  audience,
  metadata,
  version: z.number(),
  passages: z.number(),
  createdAt: time,
  updatedAt: time,
})
export type DocumentDto = z.input<typeof document>

const citation = z.strictObject({ documentId: id, passageId: id, title: z.string(), quote: z.string() })
export { citation }

const accepted = z.strictObject({ id, status: z.enum(['queued', 'indexing', 'ready', 'failed']) })

export const knowledgeRoutes = {
  addDocument: defineRoute({
    method: 'post',
    path: '/api/v1/knowledge/documents',
    tag,
    summary: 'Add a document; it is answered from once its status is ready',
    permission: 'knowledge:write',
    body: documentBody,
    bodyLimit: KNOWLEDGE_BODY_LIMIT,
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
    status: 202,
    response: accepted,
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
    status: 200,
    response: z.looseObject({ id }),
    errors: ['not_found'],
  }),
}
