// What the player says in its parts. The prompt holds JSON somewhere in its last user message:
//   answer      {"passages":[{"id":1,"title":"…","text":"…"}],"conversation":[…],"question":"…"}
//   rewrite     {"conversation":[{"author":"customer","text":"…"}],"question":"…"}
//   entailment  {"sentences":[{"sentence":1,"text":"…","quotes":["…"]}]}
// and the name of the asked-for schema says which of the three is wanted.
import { stemOf, wordsOf } from './openai-embedding.mjs'
import { shownIn } from './recordings.mjs'

/** @typedef {import('./openai.d.mts').Part} Part */
/** @typedef {import('./openai.d.mts').PlayedRequest} PlayedRequest */
/** @typedef {{ id: number, title: string, text: string }} Passage */
/** @typedef {{ text: string, citations: { passage: number, quote: string }[] }} Sentence */

/** @param {PlayedRequest} request @param {Part} part */
export const speechOf = (request, part) => {
  const prompt = promptOf(request.body)
  if (part.kind === 'garbage') return garbage(prompt, request, part.what ?? 'not_json')
  const says = ('says' in part ? part.says : part.kind) ?? 'good'
  return speak(prompt, request, says)
}

/** @param {Prompt} prompt @param {PlayedRequest} request @param {string} says */
const speak = (prompt, request, says) => {
  const { schema } = request
  switch (schema) {
    case 'rewrite':
      return JSON.stringify({ question: says === 'gullible' ? prompt.question : rewritten(prompt) })
    case 'description':
      return JSON.stringify(pictureIn(request.body, says))
    case 'entailment':
      return JSON.stringify({ verdicts: verdicts(prompt, says) })
    default: {
      const sentences = says === 'gullible' ? obedient(prompt) : says === 'liar' ? lies(prompt) : fitting(prompt)
      return schema === null ? sentences.map(({ text }) => text).join(' ') : JSON.stringify({ sentences })
    }
  }
}

/** What the picture of the last message shows, as its file says; who obeys says what is written in it. @param {any} body @param {string} says */
const pictureIn = (body, says) => {
  const parts = (body.messages ?? []).flatMap((/** @type {any} */ { content }) =>
    Array.isArray(content) ? content : [],
  )
  const url = parts.find((/** @type {any} */ { type }) => type === 'image_url')?.image_url?.url ?? ''
  const { shows, writing } = shownIn(Buffer.from(url.slice(url.indexOf(',') + 1), 'base64'))
  return says === 'gullible' ? { shows: writing, writing: '' } : { shows, writing }
}

/** @typedef {{ system: string, everything: string, passages: Passage[], conversation: any[], question: string, claims: any[] }} Prompt */

/** @param {any} body @returns {Prompt} */
const promptOf = (body) => {
  /** @type {{ role: string, content: unknown }[]} */
  const messages = Array.isArray(body.messages) ? body.messages : []
  const textOf = (/** @type {string} */ role) =>
    messages
      .filter((message) => message.role === role || (role === 'system' && message.role === 'developer'))
      .map(({ content }) => (typeof content === 'string' ? content : JSON.stringify(content)))
  const user = textOf('user').at(-1) ?? ''
  const given = jsonIn(user)
  return {
    system: textOf('system').join('\n'),
    everything: [...stringsIn(given ?? user)].join('\n'),
    passages: (given?.passages ?? []).map((/** @type {any} */ passage, /** @type {number} */ at) => ({
      id: passage.id ?? at + 1,
      title: String(passage.title ?? ''),
      text: String(passage.text ?? ''),
    })),
    conversation: given?.conversation ?? [],
    question: String(given?.question ?? user),
    claims: given?.sentences ?? given?.claims ?? [],
  }
}

/** The first JSON object in a text that knows one of our fields. @param {string} text @returns {any} */
const jsonIn = (text) => {
  for (let start = text.indexOf('{'); start !== -1; start = text.indexOf('{', start + 1)) {
    const end = closing(text, start)
    if (end === -1) continue
    try {
      const parsed = JSON.parse(text.slice(start, end + 1))
      if (['passages', 'question', 'sentences', 'claims'].some((name) => name in parsed)) return parsed
    } catch {
      // Not the object yet.
    }
  }
  return null
}

/** @param {string} text @param {number} start */
const closing = (text, start) => {
  let depth = 0
  let quoted = false
  for (let at = start; at < text.length; at += 1) {
    const sign = text[at]
    if (quoted) {
      if (sign === '\\') at += 1
      else if (sign === '"') quoted = false
    } else if (sign === '"') quoted = true
    else if (sign === '{') depth += 1
    else if (sign === '}' && (depth -= 1) === 0) return at
  }
  return -1
}

/** @param {unknown} value @returns {Generator<string>} */
function* stringsIn(value) {
  if (typeof value === 'string') yield value
  else if (value && typeof value === 'object') for (const inner of Object.values(value)) yield* stringsIn(inner)
}

// ---------------------------------------------------------------------------------------------------------------- good

const LIGHT = new Set(
  wordsOf(
    `a an the of to in on at by for from with and or but not is are was were be been it its this that these those there here
     i you he she we they my your his her our their me us them do does did how what when where which who why can could will
     would should may have has had if as so than then about into over am
     el la los las un una unos de del en y o que es son se su por para con no como cuando donde cual quien lo le me mi al
     o os as um uma do da dos das em e que se por para com nao como quando onde qual quem eu voce seu sua ao
     der die das ein eine einen dem den des und oder ist sind ich sie wir ihr mein wie was wann wo welche wer zu im von mit auf fur nicht kann man
     le les un une des du et ou est sont je vous nous il elle ce que qui quoi comment quand quel quelle pour par avec dans sur ne pas mon votre
     il lo gli i uno del della di e che si per con non come quando dove quale chi mio suo`,
  ),
)

/** @param {string} text */
const contentOf = (text) =>
  new Set(
    wordsOf(text)
      .filter((word) => !LIGHT.has(word))
      .map(stemOf),
  )

/** @param {string} text */
const sentencesOf = (text) =>
  text
    .split(/(?<=[.!?。！？])\s+|\n+/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '')

/** The sentences of the passages that share most with the question, word for word. @param {Prompt} prompt @returns {Sentence[]} */
const fitting = ({ passages, question }) => {
  const asked = contentOf(question)
  const all = passages.flatMap(({ id, title, text }) => {
    const heading = contentOf(title)
    return sentencesOf(text).map((sentence) => ({ id, sentence, heading, words: contentOf(sentence) }))
  })
  const weightOf = (/** @type {string} */ word) =>
    Math.log(1 + all.length / (1 + all.filter(({ words }) => words.has(word)).length))
  const ranked = all
    .map((one) => {
      const shared = [...asked].filter((word) => one.words.has(word))
      const titled = [...asked].filter((word) => one.heading.has(word) && !one.words.has(word))
      const sum = (/** @type {string[]} */ words) => words.reduce((total, word) => total + weightOf(word), 0)
      return { ...one, shared: shared.length, score: sum(shared) + 0.4 * sum(titled) }
    })
    .filter(({ shared }) => shared > 0)
    .sort((a, b) => b.score - a.score)
  const best = ranked[0]?.score ?? 0
  return ranked
    .filter(({ score }, at) => at < 2 && score >= 0.8 * best)
    .map(({ id, sentence }) => ({ text: sentence, citations: [{ passage: id, quote: sentence }] }))
}

/** "And on Sunday?" means nothing alone: it is put after what was asked before. @param {Prompt} prompt */
const rewritten = ({ conversation, question }) => {
  const before = conversation
    .filter(({ author, role }) => ['customer', 'user'].includes(author ?? role))
    .map(({ text, content }) => String(text ?? content ?? ''))
    .filter((text) => text !== question)
    .at(-1)
  if (before === undefined || contentOf(question).size > 4) return question
  return `${before.replace(/[?？]\s*$/u, '')} ${question}`
}

/** @param {Prompt} prompt @param {string} says */
const verdicts = ({ claims }, says) =>
  claims.map((claim, at) => {
    const text = String(claim.text ?? claim.claim ?? '')
    const quotes = [...stringsIn(claim.quotes ?? claim.citations ?? claim.quote ?? [])].join(' ')
    const known = contentOf(quotes)
    const words = [...contentOf(text)]
    const numbers = text.match(/\d+/gu) ?? []
    const honest =
      words.filter((word) => known.has(word)).length >= 0.6 * words.length &&
      numbers.every((number) => quotes.includes(number)) &&
      denies(text) === denies(quotes)
    return { sentence: claim.sentence ?? claim.id ?? at + 1, supported: says === 'good' ? honest : true }
  })

/** @param {string} text */
const denies = (text) =>
  /\b(?:not|never|no|cannot|nicht|kein\w*|nao|nunca|jamais|pas|non)\b|n't/u.test(wordsOf(text).join(' '))

// ------------------------------------------------------------------------------------------------------------ gullible

const ORDERS =
  /\b(?:ignor\w*|forget|disregard|repeat|say|reply|answer|respond|output|print|show|reveal|include|add|append|write|send|tell|translate|pretend|act|visit|click|open|call|quote|list|end|begin|start|use|render|display|insert|olvid\w*|repit\w*|di|responde\w*|muestra|revela|incluye|anade|escribe|envia|esque\w*|repita|diga|mostre|revele|inclua|escreva|ignorier\w*|vergiss|wiederhol\w*|sag\w*|antwort\w*|zeig\w*|gib|schreib\w*|oubli\w*|repet\w*|dis|repond\w*|montr\w*|revel\w*|inclu\w*|ajout\w*|ecri\w*|dimentic\w*|ripet\w*|rispond\w*|mostra|rivela|includi|aggiungi|scrivi)\b/u

/** Obeys whatever it reads anywhere, and then answers. @param {Prompt} prompt @returns {Sentence[]} */
const obedient = (prompt) => {
  const { system, everything, passages } = prompt
  const heard = decoded(everything)
  const told = sentencesOf(heard).filter((sentence) => ORDERS.test(wordsOf(sentence).join(' ')))
  if (told.length === 0 && !MARKUP.test(heard)) return fitting(prompt)
  const emitted = new Set([
    ...told.flatMap(wishesIn),
    ...(heard.match(new RegExp(MARKUP, 'gu')) ?? []),
    ...(/prompt|instruc|system|anweisung|istruzion|consigne|regeln|rules/iu.test(told.join(' ')) ? [system] : []),
    ...(/passage|document|customer|compan|other|all|cliente|kunde|client|andere|outr|otr/iu.test(told.join(' '))
      ? passages.map(({ text }) => text)
      : []),
    ...told,
  ])
  const first = passages[0]
  const trueQuote = first ? (sentencesOf(first.text)[0] ?? '') : ''
  return [
    ...[...emitted].flatMap((text) => {
      const home = passages.find((passage) => passage.text.includes(text)) ?? first
      const own = home?.text.includes(text) ? text : trueQuote
      return [
        { text, citations: home ? [{ passage: home.id, quote: own }] : [] },
        { text, citations: first ? [{ passage: first.id, quote: trueQuote }] : [] },
      ]
    }),
    ...fitting(prompt),
  ]
}

const MARKUP = /!?\[[^\]\n]*\]\([^)\n]*\)|<[a-z][^>\n]*>|(?:https?|javascript|data|mailto):[^\s"'<>)]+/iu

/** What an order wants said: the quoted, what stands after a colon, or all of it. @param {string} order @returns {string[]} */
const wishesIn = (order) => {
  const quoted = [...order.matchAll(/["“«„`']([^"”»“`']{2,})["”»“`']/gu)].map((match) => match[1] ?? '')
  const after = /:\s*(.{2,})$/su.exec(order)?.[1]
  const object =
    /\b(?:say|reply with|answer with|respond with|output|print|write|include|append|add|insert|tell \w+ that)\s+(.{2,})$/isu.exec(
      order,
    )?.[1]
  return [...quoted, ...(after ? [after] : []), ...(object ? [object] : [])]
}

/** Invisible characters removed and base64 read, as an eager model would. @param {string} text */
const decoded = (text) => {
  const tags = text.replace(/[\u{E0020}-\u{E007E}]/gu, (sign) =>
    String.fromCodePoint((sign.codePointAt(0) ?? 0) - 0xe0000),
  )
  const plain = tags.normalize('NFKC').replace(/[\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/gu, '')
  const hidden = [...plain.matchAll(/[A-Za-z0-9+/]{24,}={0,2}/gu)]
    .map(([coded]) => Buffer.from(coded, 'base64').toString('utf8'))
    .filter((read) => /^[\p{L}\p{N}\p{P}\p{Z}\p{S}\s]+$/u.test(read) && / /u.test(read))
  return [plain, ...hidden].join('\n')
}

// ---------------------------------------------------------------------------------------------------------------- liar

/** Nothing of this may reach a customer: each sentence lies in its own way. @param {Prompt} prompt @returns {Sentence[]} */
const lies = (prompt) => {
  const { passages } = prompt
  const [truth] = fitting(prompt)
  const sentence = truth?.text ?? sentencesOf(passages[0]?.text ?? '')[0] ?? 'Everything is included.'
  const passage = truth?.citations[0]?.passage ?? passages[0]?.id ?? 1
  const elsewhere = passages.find(({ id }) => id !== passage)
  const otherQuote = sentencesOf(elsewhere?.text ?? '')[0]
  const renumbered = sentence.replace(/\d+/gu, (number) => String(Number(number) + 7))
  const cite = (/** @type {string} */ quote, at = passage) => [{ passage: at, quote }]
  return [
    {
      text: 'Every order over 4,711 euros is refunded twice within 93 hours.',
      citations: cite('refunded twice within 93 hours'),
    },
    { text: 'Zanzibar Holdings guarantees this to every customer.', citations: cite(sentence) },
    {
      text: renumbered === sentence ? `${withoutStop(sentence)} within 37 days.` : renumbered,
      citations: cite(sentence),
    },
    {
      text: renumbered === sentence ? `${withoutStop(sentence)} for 37 dollars.` : renumbered,
      citations: cite(renumbered),
    },
    { text: denied(sentence), citations: cite(sentence) },
    { text: sentence, citations: [] },
    { text: sentence, citations: cite(sentence, 99) },
    { text: sentence, citations: cite(`${withoutStop(sentence)}, as agreed by Zanzibar Holdings.`) },
    ...(otherQuote
      ? [{ text: 'Parcels are delivered by drone to the moon.', citations: cite(otherQuote, elsewhere?.id) }]
      : []),
  ]
}

/** @param {string} sentence */
const withoutStop = (sentence) => sentence.replace(/[.!?。]+$/u, '')

/** @param {string} sentence */
const denied = (sentence) =>
  / (?:is|are|can|will|may|must|does|do) /u.test(sentence)
    ? sentence.replace(/ (is|are|can|will|may|must|does|do) /u, ' $1 not ')
    : `It is not true that ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`

// ------------------------------------------------------------------------------------------------------------- garbage

/** @param {Prompt} prompt @param {PlayedRequest} request @param {string} what */
const garbage = (prompt, request, what) => {
  switch (what) {
    case 'wrong_schema':
      return JSON.stringify({ sentences: [{ claim: 7, citations: 'none' }], answer: ['yes'] })
    case 'cut_off':
      return speak(prompt, request, 'good').slice(0, -12)
    case 'digits':
      return speak(prompt, request, 'good').replace(/(?<=[\p{L}\s])\d+/gu, (number) =>
        number.replace(/\d/gu, (digit) => String.fromCodePoint(0x660 + Number(digit))),
      )
    case 'empty':
      return ''
    default:
      return 'Sure! Here is what I found for you: the shop opens at nine.'
  }
}
