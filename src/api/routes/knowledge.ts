import { contract } from '../contract.js'
import type { DocumentDto } from '../contract/knowledge.js'
import { endpoint, type Endpoint } from '../endpoint.js'

type Status = 'queued' | 'indexing' | 'ready' | 'failed'
type Format = 'markdown' | 'html' | 'text'
type Audience = 'public' | 'internal'
type Metadata = Record<string, string | number | boolean>

export type DocumentInput = {
  title: string
  text: string
  format: Format
  metadata: Metadata
  language?: string | undefined
  audience: Audience
}

type KnowledgeDocument = {
  id: string
  title: string
  status: Status
  reason?: string
  format: Format
  language: string | null
  audience: Audience
  metadata: Metadata
  version: number
  passages: number
  createdAt: Date
  updatedAt: Date
}

type Citation = { documentId: string; passageId: string; title: string; quote: string }

export type KnowledgeNeeds = {
  knowledge: {
    add(companyId: string, document: DocumentInput): Promise<{ id: string; status: Status }>
    replace(companyId: string, id: string, document: DocumentInput): Promise<{ id: string; status: Status }>
    remove(companyId: string, id: string): Promise<void>
    get(companyId: string, id: string): Promise<KnowledgeDocument>
    list(
      companyId: string,
      page: { cursor?: string | undefined; limit: number },
    ): Promise<{ documents: KnowledgeDocument[]; nextCursor: string | null }>
    search(
      companyId: string,
      query: {
        query: string
        k: number
        filter?:
          | { language?: string | undefined; audience?: Audience | undefined; metadata?: Metadata | undefined }
          | undefined
      },
    ): Promise<{ documentId: string; passageId: string; title: string; text: string; score: number }[]>
    ask(
      companyId: string,
      question: string,
    ): Promise<{
      kind: 'grounded' | 'unknown'
      text: string
      citations: Citation[]
      mode: 'model' | 'extractive'
      decisionId: string
    }>
    decision(companyId: string, id: string): Promise<{ id: string } & Record<string, unknown>>
  }
}

const { knowledge: routes } = contract

export const makeKnowledgeRouter = ({ knowledge }: KnowledgeNeeds): Endpoint[] => [
  endpoint(routes.addDocument, ({ caller, body }) => knowledge.add(caller.companyId, body)),
  endpoint(routes.listDocuments, async ({ caller, query }) => {
    const { documents, nextCursor } = await knowledge.list(caller.companyId, query)
    return { documents: documents.map(toDocument), nextCursor }
  }),
  endpoint(routes.getDocument, async ({ caller, params }) =>
    toDocument(await knowledge.get(caller.companyId, params.id)),
  ),
  endpoint(routes.replaceDocument, ({ caller, params, body }) => knowledge.replace(caller.companyId, params.id, body)),
  endpoint(routes.removeDocument, ({ caller, params }) => knowledge.remove(caller.companyId, params.id)),
  endpoint(routes.search, async ({ caller, body }) => ({ passages: await knowledge.search(caller.companyId, body) })),
  endpoint(routes.ask, ({ caller, body }) => knowledge.ask(caller.companyId, body.question)),
  endpoint(routes.getDecision, ({ caller, params }) => knowledge.decision(caller.companyId, params.id)),
]

const toDocument = ({ createdAt, updatedAt, ...document }: KnowledgeDocument): DocumentDto => ({
  ...document,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
})
