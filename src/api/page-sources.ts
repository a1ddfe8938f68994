/** The sources of the pages in pages.ts. Text only: the build copies no files beside the compiled modules. */

export const ICON_SVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#2f5fd0"/><path d="M8 10h16v10H15l-5 4v-4H8z" fill="#fff"/></svg>`

export const PAGE_CSS = `
:root { --paper: #fbfaf8; --card: #fff; --ink: #1c1f26; --soft: #5b6270; --line: #d9dade; --accent: #2451b8; --on-accent: #fff; --bad: #a3231b; --good: #1d6b3a }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14161a; --card: #1c1f25; --ink: #eceef2; --soft: #a4abb8; --line: #363b45; --accent: #8fb0ff; --on-accent: #10131a; --bad: #ff9d94; --good: #86d6a2 }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif }
main { width: min(40rem, 100%); margin-inline: auto; padding: clamp(1.5rem, 8vh, 6rem) 1.25rem 3rem }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem; letter-spacing: -.01em }
p { margin: 0 0 1rem; color: var(--soft) }
a { color: var(--accent) }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px }
ul.places { list-style: none; margin: 2rem 0 0; padding: 0; border-top: 1px solid var(--line) }
ul.places li { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: .85rem 0; border-bottom: 1px solid var(--line) }
ul.places a { flex: 0 0 9rem; font-weight: 600 }
ul.places span { flex: 1 1 14rem; color: var(--soft) }
form { margin-top: 1.75rem; padding: 1.5rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px }
.field { margin-bottom: 1.1rem }
label { display: block; font-weight: 600; margin-bottom: .3rem }
input { width: 100%; padding: .65rem .75rem; font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--soft); border-radius: 8px }
input[aria-invalid="true"] { border-color: var(--bad) }
.hint { margin: .3rem 0 0; font-size: .875rem }
button { width: 100%; padding: .75rem 1rem; font: inherit; font-weight: 600; color: var(--on-accent); background: var(--accent); border: 0; border-radius: 8px; cursor: pointer }
button[disabled] { opacity: .6; cursor: progress }
#outcome { margin: 1rem 0 0; min-height: 1.5em }
#outcome.bad { color: var(--bad) }
#outcome.good { color: var(--good) }
`

export const HOME = `<main>
<h1>Helpdesk</h1>
<p>It answers customers from your own documents, shows the sentence that each answer rests on, and brings in a person where it cannot.</p>
<ul class="places">
<li><a href="/docs">API</a><span>Every call, described and ready to try.</span></li>
<li><a href="/openapi.json">OpenAPI</a><span>The same for programs.</span></li>
<li><a href="/health/deep">Health</a><span>Each part and how it is doing.</span></li>
<li><a href="/metrics">Metrics</a><span>For Prometheus.</span></li>
</ul>
</main>`

export const SETUP = `<main>
<h1>Set up your account</h1>
<p>This link works once. Choose how your colleagues see you and how you sign in.</p>
<form id="setup" method="post" novalidate>
<div class="field"><label for="name">Name</label><input id="name" name="name" autocomplete="name" maxlength="120" required></div>
<div class="field"><label for="email">Email</label><input id="email" name="email" type="email" autocomplete="username" maxlength="254" required></div>
<div class="field"><label for="password">Password</label><input id="password" name="password" type="password" autocomplete="new-password" minlength="12" maxlength="128" aria-describedby="password-hint" required><p class="hint" id="password-hint">At least 12 characters. If you already sign in here for another company, give that password.</p></div>
<button type="submit">Create account</button>
<p id="outcome" role="status" aria-live="polite"></p>
</form>
<noscript><p>This form needs JavaScript. Without it, send the link's token to POST /api/v1/setup.</p></noscript>
</main>`

export const SETUP_JS = `
const token = new URLSearchParams(location.search).get('token') ?? ''
// The token leaves the address bar and the history as soon as it is read.
history.replaceState(null, '', location.pathname)
const form = document.getElementById('setup')
const outcome = document.getElementById('outcome')
const button = form.querySelector('button')
const say = (text, kind) => { outcome.textContent = text; outcome.className = kind }
if (!token) say('This page needs the one-time link that was given to you.', 'bad')

const fieldFault = (input) => {
  if (input.validity.valueMissing) return 'Please fill in: ' + input.labels[0].textContent + '.'
  if (input.validity.tooShort) return 'The password needs at least 12 characters.'
  if (input.validity.typeMismatch) return 'This is not an email address.'
  return ''
}

const refuse = (text, input) => {
  say(text, 'bad')
  if (!input) return
  input.setAttribute('aria-invalid', 'true')
  input.focus()
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const inputs = [...form.querySelectorAll('input')]
  for (const input of inputs) input.removeAttribute('aria-invalid')
  const wrong = inputs.find((input) => fieldFault(input))
  if (wrong) return refuse(fieldFault(wrong), wrong)
  button.disabled = true
  say('One moment…', '')
  try {
    const body = { token, ...Object.fromEntries(new FormData(form)) }
    const response = await fetch('/api/v1/setup', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    const answer = await response.json()
    if (response.ok) {
      for (const input of inputs) input.disabled = true
      button.hidden = true
      return say('Done. From now on you can sign in with this address and password. A page for it comes with a later version; until then see /docs.', 'good')
    }
    refuse(answer.error.message, inputs.find((input) => input.name === answer.error.field))
  } catch {
    refuse('The server did not answer. Your entries are still here: try again.')
  }
  button.disabled = false
})
`

export const DOCS_JS = `
const dark = matchMedia('(prefers-color-scheme: dark)')
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', follow)
follow()
addEventListener('DOMContentLoaded', () => {
  SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: false, validatorUrl: null, persistAuthorization: false })
})
`
