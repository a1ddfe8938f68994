import type { z } from 'zod'
import { AppError } from '../../platform/errors.js'
import type { KnowledgeDocument } from '../../rag/documents.mongo.js'
import type { DocumentDraft, Upload, UploadDraft } from '../../rag/drafts.js'
import { contract } from '../contract.js'
import type { DocumentDto } from '../contract/knowledge.js'
import { endpoint, type Download, type Endpoint } from '../endpoint.js'
import type { IncomingFile, ReadForm } from '../form.js'

type Draft = Omit<DocumentDraft, 'source'> | Omit<UploadDraft, 'source'>
type Accepted = Pick<KnowledgeDocument, 'id' | 'status'>
type Passage = { documentId: string; passageId: string; title: string; text: string; score: number }

export type KnowledgeNeeds = {
  knowledge: {
    /** Takes a file in and tells what it is; `discard` it where it becomes no document. */
    receiveFile: (file: IncomingFile) => Promise<Upload>
    addDocument: (companyId: string, draft: Draft) => Promise<Accepted>
    replaceDocument: (companyId: string, id: string, draft: Draft) => Promise<Accepted>
    deleteDocument: (companyId: string, id: string) => Promise<void>
    getDocument: (companyId: string, id: string) => Promise<KnowledgeDocument>
    openOriginal: (companyId: string, id: string) => Promise<Download>
    /** Newest first; `before` is the last one of the page before. */
    listDocuments: (
      companyId: string,
      page: { limit: number; before?: { createdAt: Date; id: string } },
    ) => Promise<KnowledgeDocument[]>
    search: (companyId: string, query: z.output<NonNullable<typeof routes.search.body>>) => Promise<Passage[]>
    ask: (companyId: string, question: string) => Promise<Answer>
    getDecision: (companyId: string, id: string, replay?: boolean) => Promise<{ id: string; companyId: string }>
  }
}

const { knowledge: routes } = contract

type Answer = z.input<typeof routes.ask.response>

export const makeKnowledgeRouter = ({ knowledge }: KnowledgeNeeds): Endpoint[] => {
  /** What was sent, as JSON or as a form with a file. */
  const draftOf = async ({ body, form }: Sent): Promise<Draft> => {
    if (!form) return body
    const { fields, file } = await form(knowledge.receiveFile, ({ received }) => received.discard())
    return { ...fields, upload: file }
  }

  return [
    endpoint(routes.addDocument, async ({ caller, ...sent }) =>
      accepted(await knowledge.addDocument(caller.companyId, await draftOf(sent))),
    ),
    endpoint(routes.listDocuments, async ({ caller, query: { limit, cursor } }) => {
      const before = cursor === undefined ? {} : { before: readCursor(cursor) }
      const found = await knowledge.listDocuments(caller.companyId, { limit: limit + 1, ...before })
      const documents = found.slice(0, limit)
      const last = documents.at(-1)
      const nextCursor = found.length > limit && last ? `${last.createdAt.getTime()}~${last.id}` : null
      return { documents: documents.map(toDocument), nextCursor }
    }),
    endpoint(routes.getDocument, async ({ caller, params }) =>
      toDocument(await knowledge.getDocument(caller.companyId, params.id)),
    ),
    endpoint(routes.replaceDocument, async ({ caller, params, ...sent }) => {
      // Nobody uploads fifty megabytes to learn that the document is not there.
      await knowledge.getDocument(caller.companyId, params.id)
      return accepted(await knowledge.replaceDocument(caller.companyId, params.id, await draftOf(sent)))
    }),
    endpoint(routes.downloadOriginal, ({ caller, params }) => knowledge.openOriginal(caller.companyId, params.id)),
    endpoint(routes.removeDocument, ({ caller, params }) => knowledge.deleteDocument(caller.companyId, params.id)),
    endpoint(routes.search, async ({ caller, body }) => ({
      passages: (await knowledge.search(caller.companyId, body)).map(toPassage),
    })),
    endpoint(routes.ask, async ({ caller, body }) => toAnswer(await knowledge.ask(caller.companyId, body.question))),
    endpoint(routes.getDecision, async ({ caller, params, query }) => {
      const replay = query.replay !== undefined
      const { companyId: _own, ...decision } = await knowledge.getDecision(caller.companyId, params.id, replay)
      return decision
    }),
  ]
}

type DocumentBody = z.output<typeof routes.addDocument.body>
type Sent =
  | { body: DocumentBody; form: undefined }
  | { body: undefined; form: ReadForm<z.output<typeof routes.addDocument.form.fields>> }

const toPassage = ({ documentId, passageId, title, text, score }: Passage): Passage => ({
  documentId,
  passageId,
  title,
  text,
  score,
})

const toAnswer = ({ kind, text, citations, mode, decisionId }: Answer): Answer => ({
  kind,
  text,
  citations,
  mode,
  decisionId,
})

const accepted = ({ id, status }: Accepted) => ({ id, status })

const toDocument = (given: KnowledgeDocument): DocumentDto => ({
  id: given.id,
  title: given.title,
  status: given.status,
  progress: given.progress,
  reason: given.reason,
  note: given.note,
  attempts: given.suspicions,
  source: given.source.kind,
  format: given.format,
  file: given.file && { name: given.file.name, size: given.file.size },
  pages: given.pages,
  language: given.language,
  audience: given.audience,
  metadata: given.metadata,
  version: given.version,
  passages: given.passages,
  createdAt: given.createdAt.toISOString(),
  updatedAt: given.updatedAt.toISOString(),
})

const readCursor = (cursor: string): { createdAt: Date; id: string } => {
  const [, milliseconds, id] = /^(\d{1,15})~([A-Za-z0-9_-]{1,80})$/.exec(cursor) ?? []
  if (milliseconds === undefined || id === undefined) {
    throw new AppError('invalid', 'invalid_cursor', 'The cursor is not one that this list gave.', { field: 'cursor' })
  }
  return { createdAt: new Date(Number(milliseconds)), id }
}
