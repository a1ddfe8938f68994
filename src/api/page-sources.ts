/** The sources of the small pages in pages.ts. Text only: the build copies no files beside the compiled modules. */

export const ICON_SVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0f6a58"/><path d="M8 10h16v10H15l-5 4v-4H8z" fill="#fff"/></svg>`

export const PAGE_CSS = `
:root { --paper: #fbfaf8; --card: #fff; --ink: #1c1f26; --soft: #5b6270; --line: #d9dade; --accent: #0f6a58; --on-accent: #fff; --bad: #a3231b; --good: #1d6b3a }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14161a; --card: #1c1f25; --ink: #eceef2; --soft: #a4abb8; --line: #363b45; --accent: #63cdb3; --on-accent: #10131a; --bad: #ff9d94; --good: #86d6a2 }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif }
main { width: min(40rem, 100%); margin-inline: auto; padding: clamp(1.5rem, 8vh, 6rem) 1.25rem 3rem }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.01em }
p { margin: 0 0 1rem; color: var(--soft) }
a { color: var(--accent) }
button { font: inherit; padding: .6rem 1.1rem; border: 0; border-radius: 8px; background: var(--accent); color: var(--on-accent); cursor: pointer }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px }
`

/** Shown where the front end was not built, as in tests of the server alone. */
export const UNBUILT = `<main>
<h1>Helpdesk</h1>
<p>The server runs; its dashboard was not built. <code>npm run build</code> builds it, <code>npm start</code> does so by itself.</p>
<p><a href="/docs">API</a> · <a href="/health/deep">Health</a></p>
</main>`

export const DOCS_JS = `
const dark = matchMedia('(prefers-color-scheme: dark)')
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', follow)
follow()
addEventListener('DOMContentLoaded', () => {
  SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: false, validatorUrl: null, persistAuthorization: false })
})
`
