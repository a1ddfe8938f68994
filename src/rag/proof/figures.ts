/**
 * Numbers, dates and times as values, so that "1,000", "1.000", "one thousand" and "١٠٠٠" are compared and not their letters.
 */

/**
 * `value` is a decimal without leading or trailing zeros; a `unit` is a percent sign or an ISO currency that stands beside the
 * number. Of a date each reading is kept: 7/2 is one in July and one in February.
 */
export type Figure =
  | { kind: 'number'; value: string; unit: string; ordinal: boolean }
  | { kind: 'date'; readings: DateReading[] }
  | { kind: 'time'; minutes: number }

type DateReading = { year?: number | undefined; month?: number | undefined; day?: number | undefined }

/** Whether what the sentence says (`said`) is what the passage says (`written`), which may be more exact. */
export const sameFigure = (said: Figure, written: Figure): boolean => {
  if (said.kind === 'number' && written.kind === 'number')
    return said.value === written.value && said.unit === written.unit && said.ordinal === written.ordinal
  if (said.kind === 'time' && written.kind === 'time') return said.minutes === written.minutes
  if (said.kind === 'date' && written.kind === 'date')
    return said.readings.some((one) => written.readings.some((other) => within(one, other)))
  if (said.kind === 'number' && written.kind === 'date')
    return /^\d{4}$/u.test(said.value) && written.readings.some(({ year }) => String(year) === said.value)
  return false
}

const within = (one: DateReading, other: DateReading): boolean =>
  (['year', 'month', 'day'] as const).every((part) => one[part] === undefined || one[part] === other[part]) &&
  // "7" of "7 February" is no date.
  (one.month !== undefined || one.year !== undefined)

/** Where a comma groups thousands and a point parts decimals; elsewhere it is the other way round. */
const POINT_PARTS_DECIMALS = new Set(['en', 'zh', 'ja', 'ko', 'th', 'he'])

/** A written number (ASCII digits) as a decimal; undefined where its separators make no sense. */
export const decimalOf = (written: string, language: string): string | undefined => {
  const point = POINT_PARTS_DECIMALS.has(language)
  const plain = written.replace(/[\s  '’]/gu, '')
  const [group, decimal] = point ? [',', '.'] : ['.', ',']
  const grouped = new RegExp(`^\\d{1,3}(?:[${group}]\\d{2,3})*[${group}]\\d{3}(?:[${decimal}]\\d+)?$`, 'u')
  if (grouped.test(plain)) return trimmed(plain.replaceAll(group, '').replace(decimal, '.'))
  if (/^\d+$/u.test(plain)) return trimmed(plain)
  if (/^\d+[.,]\d+$/u.test(plain)) {
    // The other language's grouping is read as such where it cannot be a decimal of this one.
    return trimmed(plain.replace(',', '.'))
  }
  if (/^\d{1,3}(?:([.,])\d{3})(?:\1\d{3})+$/u.test(plain)) return trimmed(plain.replace(/[.,]/gu, ''))
  return undefined
}

const trimmed = (decimal: string): string => {
  const [whole = '', fraction = ''] = decimal.split('.')
  const rest = fraction.replace(/0+$/u, '')
  return (whole.replace(/^0+(?=\d)/u, '') || '0') + (rest ? `.${rest}` : '')
}

/** `decimal` × 10^`power`, in digits: 1.5 million. */
export const scaled = (decimal: string, power: number): string => {
  const [whole = '', fraction = ''] = decimal.split('.')
  return trimmed(`${whole}${fraction.slice(0, power).padEnd(power, '0')}.${fraction.slice(power)}`)
}

export const numberFigure = (value: string, unit = '', ordinal = false): Figure => ({
  kind: 'number',
  value,
  unit,
  ordinal,
})

const FULL_YEAR = (year: number | undefined): number | undefined =>
  year === undefined ? undefined : year < 100 ? (year < 70 ? 2000 + year : 1900 + year) : year

/** The readings of three numbers with the same separator; empty where none is a day of a calendar. */
export const numericDates = (first: number, second: number, third: number | undefined): DateReading[] => {
  const candidates: DateReading[] =
    first > 999
      ? [{ year: first, month: second, day: third }]
      : [
          { day: first, month: second, year: FULL_YEAR(third) },
          { day: second, month: first, year: FULL_YEAR(third) },
        ]
  return candidates.filter(
    ({ month = 0, day }) => month >= 1 && month <= 12 && (day === undefined || (day >= 1 && day <= 31)),
  )
}

const MONTHS: Record<string, string> = {
  en: 'january february march april may june july august september october november december',
  es: 'enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre',
  pt: 'janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro',
  de: 'januar februar märz april mai juni juli august september oktober november dezember',
  fr: 'janvier février mars avril mai juin juillet août septembre octobre novembre décembre',
  it: 'gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre',
}
const SHORT_MONTHS: Record<string, string> = {
  en: 'jan feb mar apr may jun jul aug sep oct nov dec sept',
  es: 'ene feb mar abr may jun jul ago sep oct nov dic',
  pt: 'jan fev mar abr mai jun jul ago set out nov dez',
  de: 'jan feb mär apr mai jun jul aug sep okt nov dez sept',
  fr: 'janv févr mars avr mai juin juil août sept oct nov déc',
  it: 'gen feb mar apr mag giu lug ago set ott nov dic',
}

const monthTables = new Map<string, ReadonlyMap<string, { month: number; short: boolean }>>()

/** Months by name, in lower case; the short ones are months only beside a number. */
export const monthsOf = (language: string): ReadonlyMap<string, { month: number; short: boolean }> => {
  const known = monthTables.get(language)
  if (known) return known
  const table = new Map<string, { month: number; short: boolean }>()
  for (const [at, name] of (SHORT_MONTHS[language]?.split(' ') ?? []).entries())
    table.set(name, { month: at === 12 ? 9 : at + 1, short: true })
  // "May", "März" beside no number may be something else; "mars", "marzo" too, but hardly in a helpdesk's texts.
  for (const [at, name] of (MONTHS[language]?.split(' ') ?? []).entries())
    table.set(name, {
      month: at + 1,
      short: name === 'may' || name === 'mars' || name === 'march' || name === 'august',
    })
  monthTables.set(language, table)
  return table
}

type Numerals = {
  /** 0 to 19 or further, by position. `_` where there is none. */
  units: string
  /** 20, 30 … 90. */
  tens: string
  /** Between tens and units, as it is written when blanks and hyphens are taken out. */
  join: string
  unitsFirst?: true
  more?: Record<string, number>
  /** Words that are a number only perhaps: articles, "new" and "nine". */
  unsure: string
  ordinals: string
  scales: Record<string, number>
}

const NUMERALS: Record<string, Numerals> = {
  en: {
    units:
      'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen',
    tens: 'twenty thirty forty fifty sixty seventy eighty ninety',
    join: '',
    more: { dozen: 12, half: 0.5 },
    unsure: 'a an one half single second',
    ordinals:
      '_ first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth',
    scales: {
      hundred: 2,
      thousand: 3,
      million: 6,
      billion: 9,
      trillion: 12,
      hundreds: 2,
      thousands: 3,
      millions: 6,
      billions: 9,
    },
  },
  es: {
    units:
      'cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve',
    tens: 'veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa',
    join: 'y',
    more: { cien: 100, ciento: 100, doscientos: 200, trescientos: 300, quinientos: 500, docena: 12 },
    unsure: 'un una uno segundo segunda',
    ordinals: '_ primero segundo tercero cuarto quinto sexto séptimo octavo noveno décimo',
    scales: { mil: 3, millón: 6, millones: 6 },
  },
  pt: {
    units:
      'zero um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezesseis dezessete dezoito dezenove',
    tens: 'vinte trinta quarenta cinquenta sessenta setenta oitenta noventa',
    join: 'e',
    more: {
      duas: 2,
      cem: 100,
      cento: 100,
      duzentos: 200,
      quinhentos: 500,
      quatorze: 14,
      dezasseis: 16,
      dezassete: 17,
      dezanove: 19,
      dúzia: 12,
    },
    unsure: 'um uma segundo segunda meia',
    ordinals: '_ primeiro segundo terceiro quarto quinto sexto sétimo oitavo nono décimo',
    scales: { mil: 3, milhão: 6, milhões: 6, bilhão: 9, bilhões: 9 },
  },
  de: {
    units:
      'null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn',
    tens: 'zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig',
    join: 'und',
    unitsFirst: true,
    more: { hundert: 100, einhundert: 100, zweihundert: 200, dreihundert: 300, fünfhundert: 500, zwo: 2, dutzend: 12 },
    unsure: 'ein eine einen einem einer eines eins acht',
    ordinals: '_ erste zweite dritte vierte fünfte sechste siebte achte neunte zehnte elfte zwölfte',
    scales: { tausend: 3, million: 6, millionen: 6, milliarde: 9, milliarden: 9, mio: 6, mrd: 9 },
  },
  fr: {
    units:
      'zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dixsept dixhuit dixneuf',
    tens: 'vingt trente quarante cinquante soixante soixantedix quatrevingt quatrevingtdix',
    join: '',
    more: {
      cent: 100,
      quatrevingts: 80,
      vingtetun: 21,
      trenteetun: 31,
      quaranteetun: 41,
      cinquanteetun: 51,
      soixanteetun: 61,
      douzaine: 12,
    },
    unsure: 'un une neuf second seconde',
    ordinals: '_ premier deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième',
    scales: { mille: 3, million: 6, millions: 6, milliard: 9, milliards: 9 },
  },
  it: {
    units:
      'zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove',
    tens: 'venti trenta quaranta cinquanta sessanta settanta ottanta novanta',
    join: '',
    more: {
      cento: 100,
      duecento: 200,
      trecento: 300,
      cinquecento: 500,
      ventuno: 21,
      ventotto: 28,
      trentuno: 31,
      trentotto: 38,
      dozzina: 12,
    },
    unsure: 'un una uno sei secondo seconda',
    ordinals: '_ primo secondo terzo quarto quinto sesto settimo ottavo nono decimo',
    scales: { mille: 3, mila: 3, milione: 6, milioni: 6, miliardo: 9, miliardi: 9 },
  },
}

export type NumberWord = { value: string; ordinal: boolean; unsure: boolean }
type NumberTable = { words: ReadonlyMap<string, NumberWord>; scales: ReadonlyMap<string, number>; join: string }

const numberTables = new Map<string, NumberTable>()

/** Number words without blanks and hyphens ("twentyfive"), and the words that multiply. */
export const numberWordsOf = (language: string): NumberTable | undefined => {
  const known = numberTables.get(language)
  if (known) return known
  const numerals = NUMERALS[language]
  if (!numerals) return undefined
  const unsure = new Set(numerals.unsure.split(' '))
  const words = new Map<string, NumberWord>()
  const add = (word: string, value: number, ordinal = false) => {
    if (word !== '_') words.set(word, { value: String(value), ordinal, unsure: unsure.has(word) })
  }
  const units = numerals.units.split(' ')
  for (const [at, tens] of numerals.tens.split(' ').entries()) {
    const value = (at + 2) * 10
    for (let unit = 1; unit < (language === 'fr' ? 20 : 10); unit += 1) {
      const name = (language === 'de' && unit === 1 ? 'ein' : units[unit]) ?? '_'
      add(numerals.unitsFirst ? name + numerals.join + tens : tens + numerals.join + name, value + unit)
    }
    add(tens, value)
  }
  for (const [value, word] of units.entries()) add(word, value)
  for (const [word, value] of Object.entries(numerals.more ?? {})) add(word, value)
  for (const [value, word] of numerals.ordinals.split(' ').entries()) {
    for (const form of ordinalForms(word, language)) if (!words.has(form)) add(form, value, true)
  }
  for (const word of unsure) if (!words.has(word)) add(word, 1)
  const table = { words, scales: new Map(Object.entries(numerals.scales)), join: numerals.join }
  numberTables.set(language, table)
  return table
}

const ordinalForms = (word: string, language: string): string[] => {
  if (word === '_') return []
  switch (language) {
    case 'de':
      return [word, `${word}n`, `${word}r`, `${word}s`, `${word}m`]
    case 'es':
      return [word, word.replace(/o$/u, 'a'), word.replace(/o$/u, ''), word.replace(/o$/u, 'os')].filter(
        (form) => form.length > 4,
      )
    case 'pt':
    case 'it':
      return [word, word.replace(/o$/u, 'a'), word.replace(/o$/u, 'i')]
    case 'fr':
      return word === 'premier' ? [word, 'première'] : [word]
    default:
      return [word]
  }
}

/** Currency signs, codes and names (lower case) → ISO code; percent → `%`. */
const UNIT_NAMES: Record<string, string> = Object.fromEntries(
  Object.entries({
    '%': '% percent prozent porcento porciento pourcent percento pct',
    EUR: '€ eur euro euros',
    USD: '$ usd us$ dollar dollars dólar dólares dollari dollaro',
    GBP: '£ gbp pound pounds pfund livres libras sterline',
    JPY: '¥ jpy yen',
    CHF: 'chf franken francs francos',
    BRL: 'r$ brl real reais',
    INR: '₹ inr rupee rupees',
    '°': '°',
    '‰': '‰',
  }).flatMap(([unit, names]) => names.split(' ').map((name) => [name, unit])),
)

export const unitOf = (word: string): string | undefined =>
  Object.hasOwn(UNIT_NAMES, word) ? UNIT_NAMES[word] : undefined
