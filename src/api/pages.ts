import { Router, type RequestHandler } from 'express'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { DEMO, DEMO_HEAD } from './page-demo.js'
import { DOCS_JS, ICON_SVG, PAGE_CSS, UNBUILT } from './page-sources.js'

/** Where the build puts what browsers load; the same place seen from `src/api` and from `dist/api`. */
const BUILT = path.resolve(import.meta.dirname, '../../dist/public')

/** Each begins a part of the dashboard, which finds its own way below it. */
const DASHBOARD_PATHS = [
  '/',
  '/setup',
  '/sign-in',
  '/inbox{/*rest}',
  '/knowledge{/*rest}',
  '/reports{/*rest}',
  '/settings{/*rest}',
]

/**
 * The dashboard and the documentation. Pages run no script and no style but our own files, so the content security policy
 * needs no exception but the one that Swagger UI asks for.
 */
export const makePages = (built = BUILT): Router => {
  const router = Router()
  const dashboard = path.join(built, 'dashboard')
  const index = path.join(dashboard, 'index.html')
  const html = existsSync(index) ? readFileSync(index, 'utf8') : document('Helpdesk', UNBUILT, PAGE_HEAD)
  for (const pattern of DASHBOARD_PATHS) router.get(pattern, page(pattern.replace('{/*rest}', '/*'), html))
  for (const file of filesIn(path.join(dashboard, 'assets')))
    router.get(`/assets/${file.name}`, builtFile(ASSETS, file))
  // The chat is loaded by other people's pages: its loader keeps its name, what that loads carries hashes.
  for (const file of filesIn(built))
    router.get(`/${file.name}`, forAnySite, builtFile(`/${file.name}`, file, LOADER_CACHE))
  for (const file of filesIn(path.join(built, 'widget')))
    router.get(`/widget/${file.name}`, forAnySite, builtFile('/widget/:file', file))

  router.get('/demo', allowOwnFrames, page('/demo', document('Helpdesk', DEMO, DEMO_HEAD)))
  router.get('/docs', allowSwagger, page('/docs', document('API · Helpdesk', '<div id="docs"></div>', DOCS_HEAD)))
  router.get('/assets/page.css', asset('text/css', PAGE_CSS))
  router.get('/assets/icon.svg', asset('image/svg+xml', ICON_SVG))
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
const HASHED_CACHE = 'public, max-age=31536000, immutable'
const LOADER_CACHE = 'public, max-age=300, stale-while-revalidate=86400'

const forAnySite: RequestHandler = (_req, res, next) => {
  res.set({ 'Access-Control-Allow-Origin': '*', 'Cross-Origin-Resource-Policy': 'cross-origin' })
  next()
}

const page =
  (pattern: string, body: string): RequestHandler =>
  (_req, res) => {
    res.locals.route = pattern
    res.set({ 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' }).send(body)
  }

const asset =
  (type: string, body: string): RequestHandler =>
  (_req, res) => {
    res.locals.route = ASSETS
    res.set({ 'Content-Type': `${type}; charset=utf-8`, 'Cache-Control': 'no-cache' }).send(body)
  }

type BuiltFile = { name: string; folder: string; compressed: boolean }

const TYPES: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }

/** What the build made, listed once: a file that is not among them is not asked for on disk. */
const filesIn = (folder: string): BuiltFile[] => {
  const names = existsSync(folder) ? readdirSync(folder) : []
  return names
    .filter((name) => path.extname(name) in TYPES)
    .map((name) => ({ name, folder, compressed: names.includes(`${name}.gz`) }))
}

/** Most names carry a hash of their content: what a browser has once, it never asks for again. */
const builtFile =
  (pattern: string, { name, folder, compressed }: BuiltFile, cache = HASHED_CACHE): RequestHandler =>
  (req, res) => {
    res.locals.route = pattern
    const zipped = compressed && req.acceptsEncodings('gzip') === 'gzip'
    res.set({
      'Content-Type': `${TYPES[path.extname(name)]}; charset=utf-8`,
      'Cache-Control': cache,
      Vary: 'Accept-Encoding',
      ...(zipped ? { 'Content-Encoding': 'gzip' } : {}),
    })
    res.sendFile(zipped ? `${name}.gz` : name, { root: folder, cacheControl: false })
  }

/** The dashboard shows the page in a frame, to show how the chat looks. */
const allowOwnFrames: RequestHandler = (_req, res, next) => {
  const policy = String(res.getHeader('Content-Security-Policy') ?? '')
  res.setHeader('Content-Security-Policy', policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'"))
  next()
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

const PAGE_HEAD = '<link rel="stylesheet" href="/assets/page.css">'

const DOCS_HEAD = `<link rel="stylesheet" href="/assets/swagger-ui.css">
<script defer src="/assets/swagger-ui-bundle.js"></script>
<script type="module" src="/assets/docs.js"></script>`

const document = (title: string, body: string, head: string): string => `<!doctype html>
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
