// How many false sentences pass the proof and how many true ones it cuts. Both are made from the sentences of a corpus by rule:
// npm run bench -- proof [--corpus corpus.jsonl] (rows {"id","title","text"}), else from the fixtures of the tests.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'

const FIXTURES = path.join(import.meta.dirname, '..', '..', 'test', 'fixtures', 'proof', 'pairs.json')
const MOST_SENTENCES = 4_000

/** @typedef {{ id: string, title: string, text: string }} Row */
/** @typedef {{ text: string, title: string, headings: string[], language: string }} Passage */
/** @typedef {{ sentence: string, words: string[], passage: Passage, at: number, all: string[], row: Row, language: string }} Source */
/** @typedef {{ text: string, citations: { quote: string, passage: Passage }[] }} Made */
/** @typedef {{ names: string[], subjects: string[], sources: Source[], pick: <T>(from: T[]) => T }} Pool */

/** @param {string} text a number from 0 to 1 that stays the same for the same text */
const share = (text) => createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32

/** @param {string} seed */
const picker = (seed) => {
  let at = 0
  return (/** @type {any[]} */ from) => from[Math.floor(share(`${seed}/${(at += 1)}`) * from.length)]
}

const NAME = /(?<![.!?:"“„«(]\s?|^)(?<=\s)\p{Lu}[\p{Ll}\p{M}]{2,}(?:\s\p{Lu}[\p{Ll}\p{M}]{2,})*/gu
const namesIn = (/** @type {string} */ sentence) =>
  [...sentence.matchAll(NAME)].map((match) => ({ text: match[0], index: match.index }))

const lowerFirst = (/** @type {Source} */ { sentence, language }) =>
  LOWERED[language]?.test(sentence) ? sentence[0]?.toLowerCase() + sentence.slice(1) : sentence
const upperFirst = (/** @type {string} */ text) => (text[0] ?? '').toUpperCase() + text.slice(1)
/** Words that have a capital only because they come first. */
const LOWERED = {
  en: /^(?:The|A|An|This|These|It|In|On|For|You|We|If|When|He|She|They|There|To|As|At|By|His|Their|Its|Our|Your|All|Some|Most|Many)\b/u,
  es: /^(?:El|La|Los|Las|Un|Una|En|Si|Para|Por|Se|Esta|Este|Su|No|Al|Con|De)\b/u,
  de: /^(?:Der|Die|Das|Ein|Eine|Es|In|Im|Wenn|Sie|Er|Wir|Nach|Zu|Am|Diese|Dieser|Dieses|Bei|Mit|Auf)\b/u,
  pt: /^(?:O|A|Os|As|Um|Uma|Em|No|Na|Se|Para|Por|Este|Esta)\b/u,
  fr: /^(?:Le|La|Les|Un|Une|Il|Elle|En|Si|Pour|Vous|Nous|Ce|Cette)\b/u,
  it: /^(?:Il|La|Lo|I|Gli|Le|Un|Una|In|Se|Per|Si|Questo|Questa)\b/u,
}

const NUMBER_WORDS = {
  en: 'two three four five six seven eight nine ten eleven twelve',
  es: 'dos tres cuatro cinco seis siete ocho nueve diez once doce',
  de: 'zwei drei vier fünf sechs sieben acht neun zehn elf zwölf',
  pt: 'dois três quatro cinco seis sete oito nove dez onze doze',
  fr: 'deux trois quatre cinq six sept huit neuf dix onze douze',
  it: 'due tre quattro cinque sei sette otto nove dieci undici dodici',
}
const MONTHS = {
  en: 'January February March April May June July August September October November December',
  es: 'enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre',
  de: 'Januar Februar März April Mai Juni Juli August September Oktober November Dezember',
  pt: 'janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro',
  fr: 'janvier février mars avril mai juin juillet août septembre octobre novembre décembre',
  it: 'gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre',
}
const DAY_MONTH_YEAR = {
  en: /\b(\d{1,2}) (\p{L}+) (\d{4})\b/u,
  es: /\b(\d{1,2}) de (\p{L}+) de (\d{4})\b/u,
  pt: /\b(\d{1,2}) de (\p{L}+) de (\d{4})\b/u,
  de: /\b(\d{1,2})\. (\p{L}+) (\d{4})\b/u,
  fr: /\b(\d{1,2}) (\p{L}+) (\d{4})\b/u,
  it: /\b(\d{1,2}) (\p{L}+) (\d{4})\b/u,
}

/** A lone word, with letters of all scripts as its neighbours. @param {string} words parted by `|` @param {string} [flags] */
const word = (words, flags = 'u') => new RegExp(`(?<![\\p{L}\\p{N}'’-])(?:${words})(?![\\p{L}\\p{N}'’-])`, flags)

/** @param {string} text @param {RegExp} pattern @param {(found: string) => string | undefined} by */
const swapOne = (text, pattern, by) => {
  const found = pattern.exec(text)
  if (!found) return undefined
  const replacement = by(found[0])
  if (replacement === undefined || replacement === found[0]) return undefined
  return text.slice(0, found.index) + replacement + text.slice(found.index + found[0].length)
}

/** @param {[string, string][]} pairs @returns {(text: string) => string | undefined} the first that stands in the text */
const exchange = (pairs) => (text) => {
  for (const [one, other] of pairs) {
    const swapped = swapOne(text, word(one), () => other)
    if (swapped !== undefined) return swapped
  }
  return undefined
}

const both = (/** @type {string} */ pairs) =>
  pairs.split(',').flatMap((pair) => {
    const [one = '', other = ''] = pair.trim().split('/')
    return /** @type {[string, string][]} */ ([
      [one, other],
      [other, one],
    ])
  })
const oneWay = (/** @type {string} */ pairs) =>
  pairs.split(',').map((pair) => /** @type {[string, string]} */ (pair.trim().split('/')))

const ANTONYMS = {
  en: 'increased/decreased, increase/decrease, before/after, enable/disable, enabled/disabled, large/small, larger/smaller, high/low, higher/lower, north/south, east/west, northern/southern, eastern/western, won/lost, first/last, early/late, more/less, allowed/forbidden, include/exclude, includes/excludes, accept/reject, public/private, above/below, old/new, oldest/newest, strong/weak, long/short, positive/negative, internal/external, with/without, open/closed, start/stop, buy/sell, free/paid, major/minor, best/worst, upper/lower, minimum/maximum, true/false, success/failure, possible/impossible',
  es: 'antes/después, mayor/menor, norte/sur, este/oeste, aumentar/disminuir, grande/pequeño, alto/bajo, alta/baja, primero/último, primera/última, más/menos, público/privado, con/sin, antiguo/nuevo, superior/inferior, mejor/peor, largo/corto, fuerte/débil, interno/externo, abierto/cerrado, positivo/negativo, gratuito/caro, permitido/prohibido',
  de: 'vor/nach, größer/kleiner, größte/kleinste, Norden/Süden, Osten/Westen, hoch/niedrig, hohe/niedrige, erste/letzte, ersten/letzten, mehr/weniger, öffentlich/privat, öffentlichen/privaten, mit/ohne, alte/neue, alten/neuen, große/kleine, großen/kleinen, stark/schwach, lang/kurz, lange/kurze, nördlich/südlich, innerhalb/außerhalb, über/unter, offen/geschlossen, erlaubt/verboten, kostenlos/kostenpflichtig',
  pt: 'antes/depois, maior/menor, alto/baixo, primeiro/último, mais/menos, com/sem, aberto/fechado, permitido/proibido, grátis/pago, interno/externo',
  fr: 'avant/après, plus/moins, haut/bas, premier/dernier, avec/sans, ouvert/fermé, autorisé/interdit, gratuit/payant, interne/externe',
  it: 'prima/dopo, più/meno, alto/basso, primo/ultimo, con/senza, aperto/chiuso, consentito/vietato, gratuito/costoso, interno/esterno',
}
const STRENGTHS = {
  en: 'may/must, might/will certainly, can/must, could/must, should/must, must/may, some/all, many/all, most/all, several/all, few/many, often/always, sometimes/always, usually/always, generally/always, only/also, all/some, every/some, each/some, at least/at most, up to/at least, more than/less than, less than/more than, over/under, approximately/exactly, about/exactly, optional/required, required/optional, always/sometimes, never/often',
  es: 'puede/debe, pueden/deben, podría/debe, debe/puede, deben/pueden, algunos/todos, algunas/todas, muchos/todos, muchas/todas, la mayoría de/la totalidad de, a menudo/siempre, generalmente/siempre, al menos/como máximo, más de/menos de, menos de/más de, todos/algunos, todas/algunas, solo/también, nunca/siempre, siempre/nunca',
  de: 'kann/muss, können/müssen, könnte/muss, muss/kann, müssen/können, einige/alle, viele/alle, mehrere/alle, oft/immer, häufig/immer, meist/immer, mindestens/höchstens, mehr als/weniger als, weniger als/mehr als, alle/einige, nur/auch, nie/immer, etwa/genau, ungefähr/genau',
  pt: 'pode/deve, podem/devem, deve/pode, devem/podem, alguns/todos, algumas/todas, muitos/todos, pelo menos/no máximo, mais de/menos de, todos/alguns, sempre/nunca, nunca/sempre, apenas/também',
  fr: 'peut/doit, peuvent/doivent, pouvez/devez, doit/peut, devez/pouvez, certains/tous, plusieurs/tous les, souvent/toujours, au moins/au plus, plus de/moins de, toujours/parfois, jamais/toujours',
  it: 'può/deve, possono/devono, deve/può, devono/possono, alcuni/tutti, alcune/tutte, molti/tutti, spesso/sempre, almeno/al massimo, più di/meno di, tutti/alcuni, sempre/mai',
}
const UNITS = {
  en: 'days/weeks, weeks/months, months/years, years/months, hours/minutes, minutes/hours, seconds/minutes, miles/kilometers, kilometers/miles, km/miles, meters/feet, feet/meters, percent/points, dollars/euros, kg/tons, tons/kilograms, points/yards, yards/points, tokens/characters, characters/tokens, MB/GB, GB/MB, decades/centuries, century/decade, square miles/acres',
  es: 'días/semanas, semanas/meses, meses/años, años/meses, horas/minutos, minutos/horas, segundos/minutos, kilómetros/millas, metros/kilómetros, millas/kilómetros, euros/dólares, dólares/euros, puntos/yardas, yardas/puntos, km/m',
  de: 'Tagen/Wochen, Tage/Wochen, Wochen/Monate, Monate/Jahre, Monaten/Jahren, Jahren/Monaten, Jahre/Monate, Stunden/Minuten, Minuten/Stunden, Sekunden/Minuten, Kilometer/Meilen, Meter/Kilometer, Meilen/Kilometer, Euro/Dollar, Dollar/Euro, Punkte/Yards, km/Meilen, Prozent/Promille',
  pt: 'dias/semanas, semanas/meses, meses/anos, anos/meses, horas/minutos, minutos/horas, euros/dólares, reais/euros, quilómetros/milhas',
  fr: 'jours/semaines, semaines/mois, mois/ans, ans/mois, heures/minutes, minutes/heures, euros/dollars, kilomètres/milles',
  it: 'giorni/settimane, settimane/mesi, mesi/anni, anni/mesi, ore/minuti, minuti/ore, euro/dollari, chilometri/miglia',
}
const NEGATED = {
  en: /(?<![\p{L}])(is|are|was|were|can|could|will|would|should|must|may|does|do|has been|have been)(?= (?!not\b|n't)[\p{Ll}])/u,
  es: /(?<![\p{L}])(es|son|era|eran|fue|fueron|puede|pueden|está|están|tiene|tienen|se|ha|han)(?= [\p{Ll}])/u,
  de: /(?<![\p{L}])(ist|sind|war|waren|kann|können|wird|werden|wurde|wurden|hat|haben)(?= [\p{L}])/u,
  pt: /(?<![\p{L}])(é|são|era|foi|foram|pode|podem|está|estão|tem|têm)(?= [\p{Ll}])/u,
  fr: /(?<![\p{L}])(est|sont|était|peut|peuvent|pouvez|sera|seront)(?= [\p{Ll}])/u,
  it: /(?<![\p{L}])(è|sono|era|può|possono|viene|vengono|sarà)(?= [\p{Ll}])/u,
}
const SYNONYMS = {
  en: oneWay(
    'began/started, purchase/buy, purchased/bought, large/big, phone/telephone, received/got, movie/film, select/choose, sent/shipped, approximately/about, required/needed, company/firm, delete/remove, create/make, assist/help, rapidly/quickly, defeated/beat, utilize/use, obtain/get, also/too',
  ),
  es: oneWay(
    'empezó/comenzó, comenzó/empezó, comprar/adquirir, utilizar/usar, usar/utilizar, terminar/finalizar, empresa/compañía, aproximadamente/alrededor de, película/filme, derrotaron/vencieron, permitir/autorizar',
  ),
  de: oneWay(
    'begann/startete, etwa/ungefähr, verwenden/benutzen, benutzen/verwenden, Unternehmen/Firma, erhalten/bekommen, schnell/rasch, besiegten/schlugen, kostenlos/gratis, Passwort/Kennwort, oft/häufig',
  ),
  pt: oneWay(
    'começar/iniciar, comprar/adquirir, usar/utilizar, receber/obter, grátis/gratuito, senha/palavra-passe, loja/comércio',
  ),
  fr: oneWay(
    'commencer/débuter, acheter/acquérir, recevoir/obtenir, colis/paquet, boutique/magasin, environ/à peu près',
  ),
  it: oneWay(
    'iniziare/cominciare, comprare/acquistare, usare/utilizzare, ricevere/ottenere, negozio/punto vendita, circa/approssimativamente',
  ),
}
const CONTRACTIONS = oneWay(
  "do not/don't, does not/doesn't, did not/didn't, is not/isn't, are not/aren't, was not/wasn't, were not/weren't, cannot/can't, can not/can't, could not/couldn't, will not/won't, would not/wouldn't, should not/shouldn't, has not/hasn't, have not/haven't, it is/it's, It is/It's, you will/you'll, You will/You'll, you are/you're, we are/we're, We are/We're, they are/they're",
)
const FRAMES = {
  en: ['Yes, ', 'Please note that ', 'According to the documentation, ', 'Sure! ', 'In short, '],
  es: ['Sí, ', 'Tenga en cuenta que ', 'Según la documentación, ', 'En resumen, '],
  de: ['Ja, ', 'Laut der Dokumentation: ', 'Bitte beachten Sie: ', 'Kurz gesagt: '],
  pt: ['Sim, ', 'Note que ', 'De acordo com a documentação, ', 'Em resumo, '],
  fr: ['Oui, ', 'Veuillez noter que ', 'Selon la documentation, ', 'En résumé, '],
  it: ['Sì, ', 'Si noti che ', 'Secondo la documentazione, ', 'In breve, '],
}
const FRONTED = {
  en: /^(In|On|At|During|After|Before|Since|By|From|Until) ([^,;:]{3,45}), (.{20,})([.])$/u,
  es: /^(En|Durante|Después|Antes|Desde|Hasta|Tras) ([^,;:]{3,45}), (.{20,})([.])$/u,
  pt: /^(Em|Durante|Depois|Antes|Desde|Até|Após) ([^,;:]{3,45}), (.{20,})([.])$/u,
  fr: /^(En|Pendant|Après|Avant|Depuis|Jusqu'à|Dans) ([^,;:]{3,45}), (.{20,})([.])$/u,
  it: /^(In|Durante|Dopo|Prima|Entro|Nel) ([^,;:]{3,45}), (.{20,})([.])$/u,
}
/** What may not be left out and the sentence still be true. */
const BINDING = word(
  'if|unless|except|only|not|no|never|without|but|si|salvo|excepto|solo|no|sin|nunca|wenn|falls|außer|nur|nicht|kein|keine|ohne|nie|aber|sondern|pero|sino|se|sem|não|senza|non|sauf|sans|pas|ne',
  'iu',
)

/** @type {Record<string, (source: Source, pool: Pool) => Made | string | undefined>} */
const TRUE = {
  verbatim: ({ sentence }) => sentence,
  clauseDropped: ({ sentence, words }) => {
    const cut = sentence.lastIndexOf(', ')
    if (cut < 0 || BINDING.test(sentence.slice(cut))) return undefined
    const kept = sentence.slice(0, cut)
    return kept.split(' ').length >= Math.max(6, words.length * 0.4) ? `${kept}.` : undefined
  },
  middleDropped: ({ sentence, language }) => {
    const found = /, (which|who|whose|where|que|quien|donde|der|die|das|dont|qui|che) [^,;()]{8,90}, /u.exec(sentence)
    if (!found || BINDING.test(found[0]) || (language === 'de' && !/ (?:der|die|das) /u.test(found[0])))
      return undefined
    return (
      sentence.slice(0, found.index) + (language === 'de' ? ' ' : ' ') + sentence.slice(found.index + found[0].length)
    )
  },
  parenthesisDropped: ({ sentence }) =>
    swapOne(sentence, /\s?\([^()]{2,120}\)/u, (found) => (BINDING.test(found) ? undefined : '')),
  adverbialMoved: ({ sentence, language }) => {
    const found = FRONTED[language]?.exec(sentence)
    if (!found || / (?:and|y|e|et|und) |, /u.test(found[3] ?? '')) return undefined
    const [, head = '', tail = '', rest = '', stop = ''] = found
    return `${upperFirst(rest)} ${head.toLowerCase()} ${tail}${stop}`
  },
  numberFormat: ({ sentence, language }) => {
    const words = NUMBER_WORDS[language]?.split(' ') ?? []
    const toDigits = swapOne(sentence, word(words.join('|'), 'u'), (found) => String(words.indexOf(found) + 2))
    if (toDigits) return toDigits
    const ungrouped = swapOne(sentence, /(?<![\d.,])\d{1,3}[,.]\d{3}(?![\d.,])/u, (found) => {
      const own = language === 'en' ? ',' : '.'
      return found.includes(own) ? found.replace(own, '') : undefined
    })
    if (ungrouped) return ungrouped
    return swapOne(sentence, /(?<![\d.,:/–-])(?:[2-9]|1[0-2])(?= \p{Ll}{4,})/u, (found) => words[Number(found) - 2])
  },
  dateFormat: ({ sentence, language }) => {
    const months = MONTHS[language]?.split(' ') ?? []
    if (language === 'en') {
      const american = /\b([A-Z]\p{L}+) (\d{1,2}), (\d{4})\b/u.exec(sentence)
      if (american && months.includes(american[1] ?? ''))
        return sentence.replace(american[0], `${american[2]} ${american[1]} ${american[3]}`)
    }
    const found = DAY_MONTH_YEAR[language]?.exec(sentence)
    const month = months.indexOf(found?.[2] ?? '') + 1
    if (!found || month === 0) return undefined
    return sentence.replace(
      found[0],
      language === 'en' ? `${found[2]} ${found[1]}, ${found[3]}` : `${found[1]}.${month}.${found[3]}`,
    )
  },
  contraction: ({ sentence, language }) => (language === 'en' ? exchange(CONTRACTIONS)(sentence) : undefined),
  titleForPronoun: ({ sentence, passage, language }) =>
    language === 'en' && /^(?:He|She) /u.test(sentence)
      ? sentence.replace(/^(?:He|She)/u, passage.title.replaceAll('_', ' '))
      : undefined,
  synonym: ({ sentence, language }) => exchange(SYNONYMS[language] ?? [])(sentence),
  merged: (source, { sources }) => {
    const { sentence, passage, at, all, language } = source
    const next = all[at + 1]
    const other = sources.find(({ sentence: text, passage: where }) => text === next && where === passage)
    if (!next || !other || !sentence.endsWith('.')) return undefined
    const and = { en: 'and', es: 'y', de: 'und', pt: 'e', fr: 'et', it: 'e' }[language]
    return {
      text: `${sentence.slice(0, -1)}, ${and} ${lowerFirst(other)}`,
      citations: [
        { quote: sentence, passage },
        { quote: next, passage },
      ],
    }
  },
  framed: (source, { pick }) => {
    const frame = pick(FRAMES[source.language] ?? [])
    return frame ? frame + lowerFirst(source) : undefined
  },
}

/** @type {Record<string, (source: Source, pool: Pool) => Made | string | undefined>} */
const FALSE = {
  numberChanged: ({ sentence, language }, { pick }) => {
    const words = NUMBER_WORDS[language]?.split(' ') ?? []
    const digit = [...sentence.matchAll(/\d/gu)]
    if (digit.length > 0) {
      const at = pick(digit).index
      const other = (Number(sentence[at]) + 1 + Math.floor(share(sentence) * 8)) % 10
      return sentence.slice(0, at) + String(other) + sentence.slice(at + 1)
    }
    return swapOne(sentence, word(words.join('|')), (found) => words[(words.indexOf(found) + 2) % words.length])
  },
  dateChanged: ({ sentence, language }) => {
    const months = MONTHS[language]?.split(' ') ?? []
    return (
      swapOne(
        sentence,
        word(months.filter((month) => !/^(?:May|March|marzo|mars)$/u.test(month)).join('|')),
        (found) => months[(months.indexOf(found) + 5) % 12],
      ) ?? swapOne(sentence, /\b(?:1[5-9]|20)\d\d\b/u, (found) => String(Number(found) + 11))
    )
  },
  unitChanged: ({ sentence, language }) =>
    exchange(oneWay(UNITS[language] ?? ''))(sentence) ?? swapOne(sentence, /%/u, () => ' km'),
  nameReplaced: ({ sentence }, { names, pick }) => {
    const found = namesIn(sentence)
    if (found.length === 0) return undefined
    const { text, index } = pick(found)
    const other = pick(names)
    if (sentence.includes(other) || other.split(' ').some((part) => sentence.includes(part))) return undefined
    return sentence.slice(0, index) + other + sentence.slice(index + text.length)
  },
  entitiesSwapped: ({ sentence }, { pick }) => {
    const found = namesIn(sentence)
    const pairs = found.flatMap((one, at) => {
      const other = found
        .slice(at + 1)
        .find(({ text }) => text !== one.text && !text.includes(one.text) && !one.text.includes(text))
      if (!other) return []
      const between = sentence.slice(one.index + one.text.length, other.index)
      // The items of a list, a place and its country: in another order they say the same, or nothing.
      return /^[\s,]*(?:(?:and|or|y|e|o|und|oder|et|ou|the|la|el|der|die|das|&)\s)*$/u.test(between) ||
        /^[^\p{L}]*$/u.test(between) ||
        / (?:and|or|y|und|oder) \S+ ?$|^, \S+,? (?:and|or|und|y)? ?$/u.test(between)
        ? []
        : [[one, other]]
    })
    if (pairs.length === 0) return undefined
    const [one, other] = pick(pairs)
    return (
      sentence.slice(0, one.index) +
      other.text +
      sentence.slice(one.index + one.text.length, other.index) +
      one.text +
      sentence.slice(other.index + other.text.length)
    )
  },
  negationInserted: ({ sentence, language }) => {
    const not = { en: 'not', es: 'no', de: 'nicht', pt: 'não', fr: 'pas', it: 'non' }[language]
    const before = ['es', 'pt', 'it'].includes(language)
    const pattern = NEGATED[language]
    return pattern && not
      ? swapOne(sentence, pattern, (found) => (before ? `${not} ${found}` : `${found} ${not}`))
      : undefined
  },
  negationRemoved: ({ sentence, language }) => {
    const pattern = {
      en: /(?:(?<= (?:is|are|was|were|do|does|did|can|could|will|would|should|must|may|has|have)) not|(?<=(?:can))not|n't|(?<= )never )(?=[ .,]|\p{L})/u,
      es: /(?<![\p{L}])(?:no|nunca) (?!(?:solo|sólo|obstante))/u,
      de: / nicht(?! nur)(?=[ .,])/u,
      pt: /(?<![\p{L}])(?:não|nunca) /u,
      fr: / pas(?=[ .,])/u,
      it: /(?<![\p{L}])non /u,
    }[language]
    if (!pattern || /not only|nicht nur|whether or not/u.test(sentence)) return undefined
    return (
      swapOne(sentence, pattern, () => '') ??
      (language === 'de' ? swapOne(sentence, word('keine'), () => 'eine') : undefined)
    )
  },
  antonym: ({ sentence, language }) => exchange(both(ANTONYMS[language] ?? ''))(sentence),
  strengthChanged: ({ sentence, language }) => exchange(oneWay(STRENGTHS[language] ?? ''))(sentence),
  otherSentence: ({ sentence, passage, all, at }, { sources, pick }) => {
    const near = all.filter((each, index) => index !== at && each.length > 30)
    const text = share(sentence) < 0.5 && near.length > 0 ? pick(near) : pick(sources).sentence
    return text === sentence ? undefined : { text, citations: [{ quote: sentence, passage }] }
  },
  quoteInvented: ({ passage }, { sources, pick }) => {
    const { sentence } = pick(sources)
    return passage.text.includes(sentence) ? undefined : { text: sentence, citations: [{ quote: sentence, passage }] }
  },
  quoteAltered: ({ sentence, words, passage }, { sources, pick }) => {
    const at = 1 + Math.floor(share(sentence) * (words.length - 2))
    const other = pick(pick(sources).words.filter((each) => /^[\p{L}]{4,}$/u.test(each)))
    if (!other || other === words[at]) return undefined
    const altered = words.with(at, other).join(' ')
    return { text: altered, citations: [{ quote: altered, passage }] }
  },
  subjectReplaced: ({ sentence, language }, { subjects, pick }) => {
    const found = SUBJECT[language]?.exec(sentence)?.[0]
    const other = pick(subjects)
    return found && other && other !== found && !sentence.includes(other)
      ? other + sentence.slice(found.length)
      : undefined
  },
}
const SUBJECT = {
  en: /^(?:(?:The|A|An|This|Our|Your) )?(?:\p{L}[\p{Ll}\p{M}]+ ){1,3}(?=(?:is|are|was|were|has|have|had|can|will|may|must) )/u,
  es: /^(?:(?:El|La|Los|Las|Un|Una|Su) )?(?:\p{L}[\p{Ll}\p{M}]+ ){1,3}(?=(?:es|son|era|fue|fueron|tiene|tienen|puede|pueden) )/u,
  de: /^(?:(?:Der|Die|Das|Ein|Eine|Unser|Ihre) )?(?:\p{L}[\p{Ll}\p{M}]+ ){1,3}(?=(?:ist|sind|war|waren|hat|haben|kann|können|wird|werden|wurde|wurden) )/u,
  pt: /^(?:(?:O|A|Os|As|Um|Uma) )?(?:\p{L}[\p{Ll}\p{M}]+ ){1,3}(?=(?:é|são|foi|foram|tem|têm|pode|podem) )/u,
  fr: /^(?:(?:Le|La|Les|Un|Une|Votre) )?(?:\p{L}[\p{Ll}\p{M}]+ ){1,3}(?=(?:est|sont|peut|peuvent|doit|sera) )/u,
  it: /^(?:(?:Il|La|Lo|I|Gli|Le|Un|Una) )?(?:\p{L}[\p{Ll}\p{M}]+ ){1,3}(?=(?:è|sono|può|possono|deve|viene) )/u,
}

/** @param {Row[]} rows @param {{ prove: Function, sentences: Function, detectLanguage: Function, isFunctionWord: (word: string, language: string) => boolean }} product */
const sourcesOf = async (rows, { sentences, detectLanguage }) => {
  /** @type {Source[]} */
  const sources = []
  for (const row of rows) {
    const language = row.language ?? (await detectLanguage(row.text)) ?? 'en'
    const passage = { text: row.text, title: row.title, headings: [], language }
    const all = sentences(row.text).map(({ start, end }) => row.text.slice(start, end))
    for (const [at, sentence] of all.entries()) {
      const words = sentence.split(/\s+/u)
      if (words.length < 6 || words.length > 60 || !/^[\p{Lu}¿¡"“„«\p{N}]/u.test(sentence) || !/[.!]$/u.test(sentence))
        continue
      sources.push({ sentence, words, passage, at, all, row, language })
    }
  }
  return sources
}

/**
 * @param {Row[]} rows
 * @param {{ prove: Function, sentences: Function, detectLanguage: Function, isFunctionWord: (word: string, language: string) => boolean }} product
 */
const measureProof = async (rows, product) => {
  const sources = (await sourcesOf(rows, product)).slice(0, MOST_SENTENCES)
  /** @type {Record<string, Record<string, [number, number]>>} */
  const counts = { true: {}, false: {} }
  const byLanguage = {}
  const times = []
  const pools = new Map()
  for (const language of new Set(sources.map((source) => source.language))) {
    const own = sources.filter((source) => source.language === language)
    // What is also written small is a word at the beginning of something, not a name; "It" and "Then" are no subjects.
    const small = new Set(own.flatMap(({ words }) => words.filter((each) => each === each.toLowerCase())))
    const isName = (/** @type {string} */ name) => language === 'de' || !small.has(name.toLowerCase())
    const namesSomething = (/** @type {string} */ subject) =>
      subject.split(' ').some((each) => each.length > 3 && !product.isFunctionWord(each.toLowerCase(), language))
    pools.set(language, {
      sources: own,
      names: [...new Set(own.flatMap(({ sentence }) => namesIn(sentence).map(({ text }) => text)))].filter(isName),
      subjects: [...new Set(own.flatMap(({ sentence }) => SUBJECT[language]?.exec(sentence)?.[0] ?? []))].filter(
        namesSomething,
      ),
    })
  }
  for (const source of sources) {
    const { sentence, passage, language } = source
    for (const [expected, generators] of Object.entries({ true: TRUE, false: FALSE })) {
      for (const [kind, generate] of Object.entries(generators)) {
        const pool = { ...pools.get(language), pick: picker(`${source.row.id}/${sentence}/${kind}`) }
        const made = generate(source, pool)
        if (made === undefined || made === null) continue
        const { text, citations } =
          typeof made === 'string' ? { text: made, citations: [{ quote: sentence, passage }] } : made
        if (expected === 'false' && kind !== 'quoteInvented' && text === sentence) continue
        const started = performance.now()
        const verdict = product.prove({ text, citations, language })
        times.push(performance.now() - started)
        const isWrong = verdict.proved !== (expected === 'true')
        const count = ((counts[expected] ??= {})[kind] ??= [0, 0])
        const all = (byLanguage[language] ??= { true: [0, 0], false: [0, 0] })[expected]
        for (const each of [count, all]) {
          each[0] += Number(isWrong)
          each[1] += 1
        }
      }
    }
  }
  times.sort((a, b) => a - b)
  const rate = ([bad, all]) => (all === 0 ? 0 : Math.round((bad / all) * 10_000) / 10_000)
  const table = (kinds) =>
    Object.fromEntries(Object.entries(kinds).map(([kind, count]) => [kind, `${rate(count)} of ${count[1]}`]))
  const total = (kinds) => Object.values(kinds).reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0])
  return {
    sentences: sources.length,
    falsePass: rate(total(counts.false)),
    trueCut: rate(total(counts.true)),
    languages: Object.fromEntries(
      Object.entries(byLanguage).map(([language, found]) => [
        language,
        { falsePass: rate(found.false), trueCut: rate(found.true), n: found.true[1] + found.false[1] },
      ]),
    ),
    false: table(counts.false),
    true: table(counts.true),
    p50Us: Math.round((times[Math.floor(times.length / 2)] ?? 0) * 1000),
    p99Us: Math.round((times[Math.floor(times.length * 0.99)] ?? 0) * 1000),
  }
}

/** @param {string} file */
const readCorpus = (file) =>
  file === FIXTURES
    ? fixtureRows()
    : readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line.trim())
        .map((line) => JSON.parse(line))

/** @returns {Row[]} */
const fixtureRows = () =>
  JSON.parse(readFileSync(FIXTURES, 'utf8')).map(({ quote, title, language }, at) => ({
    id: String(at),
    title,
    text: quote,
    language,
  }))

/** Rules are made on one half of a corpus and reported on the other. @param {{ id: string }} row */
const isHeldOut = ({ id }) => share(id) >= 0.5

/** @param {{ corpus?: string | undefined }} [options] */
export const proof = async ({ corpus = FIXTURES } = {}) => {
  const [{ prove }, { sentences }, { detectLanguage, functionWordsOf }] = await Promise.all([
    import('../../dist/rag/proof/index.js'),
    import('../../dist/rag/sentences.js'),
    import('../../dist/rag/languages.js'),
  ])
  const rows = readCorpus(corpus)
  return {
    bench: 'proof',
    ...(await measureProof(corpus === FIXTURES ? rows : rows.filter(isHeldOut), {
      prove,
      sentences,
      detectLanguage,
      isFunctionWord: (word, language) => functionWordsOf(language).has(word),
    })),
  }
}
