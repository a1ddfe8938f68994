import { Router, type RequestHandler } from 'express'
import { createRequire } from 'node:module'
import path from 'node:path'
import { DOCS_JS, HOME, ICON_SVG, PAGE_CSS, SETUP, SETUP_JS } from './page-sources.js'

/**
 * The few pages that the API serves itself: where things are, the set-up form, the documentation. They run no script and
 * no style but our own files, so the content security policy needs no exception but the one that Swagger UI asks for.
 */
export const makePages = (): Router => {
  const router = Router()
  router.get('/', page('/', html('Helpdesk', HOME, PAGE_HEAD)))
  router.get('/setup', page('/setup', html('Set up · Helpdesk', SETUP, PAGE_HEAD + script('setup.js'))))
  router.get('/docs', allowSwagger, page('/docs', html('API · Helpdesk', '<div id="docs"></div>', DOCS_HEAD)))
  router.get('/assets/page.css', asset('text/css', PAGE_CSS))
  router.get('/assets/icon.svg', asset('image/svg+xml', ICON_SVG))
  router.get('/assets/setup.js', asset('text/javascript', SETUP_JS))
  router.get('/assets/docs.js', asset('text/javascript', DOCS_JS))
  const swagger = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js']) {
    router.get(`/assets/${file}`, (_req, res) => {
      res.locals.route = ASSETS
      res.sendFile(file, { root: swagger, maxAge: '1d' })
    })
  }
  return router
}

const ASSETS = '/assets/:file'

const page =
  (pattern: string, body: string): RequestHandler =>
  (_req, res) => {
    res.locals.route = pattern
    // A set-up link carries its token in the address: it stays out of caches (and, by helmet, out of Referer).
    res.set({ 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' }).send(body)
  }

const asset =
  (type: string, body: string): RequestHandler =>
  (_req, res) => {
    res.locals.route = ASSETS
    res.set({ 'Content-Type': `${type}; charset=utf-8`, 'Cache-Control': 'no-cache' }).send(body)
  }

/** Swagger UI writes style attributes and draws with data: images. */
const allowSwagger: RequestHandler = (_req, res, next) => {
  const policy = String(res.getHeader('Content-Security-Policy') ?? '')
  res.setHeader(
    'Content-Security-Policy',
    policy
      .replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
      .replace("img-src 'self'", "img-src 'self' data:"),
  )
  next()
}

const script = (file: string): string => `<script type="module" src="/assets/${file}"></script>`

const PAGE_HEAD = '<link rel="stylesheet" href="/assets/page.css">'

const DOCS_HEAD = `<link rel="stylesheet" href="/assets/swagger-ui.css">
<script defer src="/assets/swagger-ui-bundle.js"></script>
${script('docs.js')}`

const html = (title: string, body: string, head: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
${head}
</head>
<body>
${body}
</body>
</html>
`
