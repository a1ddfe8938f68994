import { OpenApiGeneratorV31, OpenAPIRegistry, type RouteConfig } from '@asteasolutions/zod-to-openapi'
import { z } from 'zod'
import type { ChannelRoute } from '../channels/channel.js'
import type { ErrorKind } from '../platform/errors.js'
import type { Route } from './contract/route.js'
import { errorBody, statusOf } from './errors.js'

type Described = { routes: readonly Route[]; channelRoutes: readonly ChannelRoute[] }

/** The OpenAPI 3.1 document of exactly what is mounted. */
export const describeApi = ({ routes, channelRoutes }: Described): object => {
  const registry = new OpenAPIRegistry()
  const key = registry.registerComponent('securitySchemes', 'key', { type: 'http', scheme: 'bearer' })
  for (const route of routes) registry.registerPath(describeRoute(route, key.name))
  for (const route of channelRoutes) registry.registerPath(describeChannelRoute(route, key.name))
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Helpdesk',
      version: '1',
      description: 'A support helpdesk whose assistant proves what it says. Errors always have the shape of `error`.',
    },
    servers: [{ url: '/' }],
  })
}

/** What any call may meet, by what it takes in. */
const errorsOf = (route: Route): ErrorKind[] => [
  ...(route.permission === 'public' ? [] : (['unauthenticated', 'forbidden'] as const)),
  ...(route.params || route.query || route.body ? (['invalid'] as const) : []),
  ...(route.body ? (['too_large', 'unsupported'] as const) : []),
  ...(route.errors ?? []),
]

const describeRoute = (route: Route, scheme: string): RouteConfig => ({
  method: route.method,
  path: route.path.replaceAll(/:([a-z]+)/gi, '{$1}'),
  tags: [route.tag],
  summary: route.summary,
  ...(route.permission === 'public'
    ? {}
    : { description: `Needs the permission \`${route.permission}\`.`, security: [{ [scheme]: [] }] }),
  request: {
    ...(route.params ? { params: route.params } : {}),
    ...(route.query ? { query: route.query } : {}),
    ...(route.body
      ? {
          body: {
            content: {
              'application/json': { schema: route.body },
              ...(route.form ? { 'multipart/form-data': { schema: describeForm(route.form) } } : {}),
            },
            required: true,
          },
        }
      : {}),
  },
  responses: {
    [route.status]: {
      description: 'Done',
      ...(route.response ? { content: { 'application/json': { schema: route.response } } } : {}),
      ...(route.download ? { content: { '*/*': { schema: { type: 'string', format: 'binary' } } } } : {}),
    },
    ...refusals(errorsOf(route)),
  },
})

/** A form's fields are all text. */
const describeForm = ({ fields, about }: NonNullable<Route['form']>) => ({
  type: 'object' as const,
  required: ['file'],
  additionalProperties: false,
  properties: {
    file: { type: 'string' as const, format: 'binary', description: about },
    ...Object.fromEntries(
      Object.entries(fields.shape).map(([field, schema]) => [
        field,
        { type: 'string' as const, description: (schema as z.ZodType).description ?? '' },
      ]),
    ),
  },
})

const describeChannelRoute = (route: ChannelRoute, scheme: string): RouteConfig =>
  describeRoute(
    {
      method: route.method,
      path: `/api/v1${route.path}`,
      tag: 'Channels in public',
      summary: route.summary,
      permission: 'public',
      ...(route.body ? { body: route.body } : {}),
      ...(route.query ? { query: route.query as NonNullable<Route['query']> } : {}),
      ...(route.file ? { body: z.strictObject({}), form: { fields: z.strictObject({}), about: route.file } } : {}),
      status: route.status,
      ...(route.response ? { response: route.response } : { download: true as const }),
      errors: [...(route.bearer ? (['unauthenticated'] as const) : []), 'forbidden', 'rate_limited'],
    },
    scheme,
  )

const refusals = (kinds: readonly ErrorKind[]): RouteConfig['responses'] =>
  Object.fromEntries(
    [...new Set(kinds)].map((kind) => [
      statusOf(kind),
      { description: kind.replaceAll('_', ' '), content: { 'application/json': { schema: errorBody } } },
    ]),
  )
