/**
 * What the analysis knows of a language: its Snowball algorithm, and its function words: articles, pronouns, prepositions,
 * auxiliaries, question words. They say in which language a text is, and they carry no topic: they are neither indexed nor
 * asked for. Written as they are typed; words with an apostrophe are split before they are looked up.
 *
 * Light words (make, go, need, new, still) stand in every text and every question: they are searched like others, and prove
 * nothing. Their inflected forms are found by their stems; irregular ones are listed.
 */
type Language = { stemmer?: string; functionWords: string; lightWords?: string }

const LANGUAGES: Record<string, Language> = {
  en: {
    stemmer: 'english',
    functionWords: `a an the this that these those i you he she it we they me him her us them my your his its our their mine
      yours who whom whose which what when where why how is are was were be been being am do does did doing done have has had
      having can could will would shall should may might must and or but if then than so as of at by for from in into on onto
      to with without about over under up down out off not no nor there here also just only any some such each both own same
      too very s t re ve ll d m don dont doesn doesnt isn isnt arent cant wont didnt please many much get gets got put let happen happens happened hi hello hey thanks thank please whether while during between
      through because until against does upon per via`,
    lightWords: `make made go goes went gone do run ran change need work keep kept use useful get give gave given take took taken set
      see saw seen know knew known want like look find found show tell told say said mean meant try come came help call called
      think thought become became let allow able possible way thing something anything everything nothing happen instead now
      then still again back another other new same after before long far often always never ever yet already whether
      check stay handle question version kind type sort sorry`,
  },
  es: {
    stemmer: 'spanish',
    functionWords: `el la los las un una unos unas lo al del de a ante con contra desde en entre hacia hasta para por según sin
      sobre tras y e o u ni que qué quien quién quienes quiénes cual cuál cuales cuáles cuando cuándo donde dónde como cómo
      cuanto cuánto cuanta cuánta cuantos cuántos cuantas cuántas porque si sí no yo tú él ella ellos ellas nosotros vosotros
      usted ustedes me te se nos os le les mi mis tu tus su sus nuestro nuestra nuestros nuestras este esta estos estas ese
      esa esos esas esto eso es son era eran fue fueron ser sido siendo está están estaba estaban estar ha han había habían
      haber hay he hace hacer tiene tienen tenía tener puede pueden puedo podía poder debe deben más menos muy también ya
      pasa ocurre sucede hola gracias favor durante mientras cada otro otra otros otras`,
    lightWords: `hacer hago hecho ir voy va vas usar uso utilizar necesitar necesito necesita poner pongo dar doy da dado tomar ver veo
      saber sé sabe querer quiero quiere cambiar cambio funcionar funciona conseguir seguir sigue quedar llevar venir viene
      decir dice encontrar buscar mirar mostrar ayudar ayuda intentar permitir posible cosa algo nada todo ahora después antes
      siempre nunca todavía aún nuevo nueva mismo misma así bien tener tengo deber debo pregunta versión tipo clase`,
  },
  pt: {
    stemmer: 'portuguese',
    functionWords: `o a os as um uma uns umas ao aos à às do da dos das de no na nos nas em por pelo pela pelos pelas para com
      sem sob sobre entre até desde e ou mas nem que quê quem qual quais quando onde como quanto quanta quantos quantas porque
      porquê se não sim eu tu ele ela eles elas nós você vocês me te lhe lhes meu minha meus minhas teu tua seu sua seus suas
      nosso nossa este esta estes estas esse essa esses essas isto isso aquele aquela é são era eram foi foram ser sido sendo
      está estão estava estar há tem têm tinha ter havia pode podem posso poder deve devem mais menos muito também já foi
      acontece olá oi obrigado obrigada durante cada outro outra outros outras faço faz fazer fica ficam`,
    lightWords: `fazer faço feito ir vou vai usar uso utilizar precisar preciso precisa pôr colocar dar dou dá dado tomar ver vejo saber
      sei sabe querer quero quer mudar mudo funcionar funciona conseguir consigo continuar ficar levar vir vem dizer diz
      encontrar procurar olhar mostrar ajudar ajuda tentar permitir possível coisa algo nada tudo agora depois antes sempre
      nunca ainda novo nova mesmo mesma assim bem ter tenho dever devo pergunta versão tipo`,
  },
  de: {
    stemmer: 'german',
    functionWords: `der die das den dem des ein eine einen einem einer eines und oder aber denn sondern wenn dann als wie was
      wer wen wem wessen wann wo wohin woher warum wieso weshalb welche welcher welches welchen welchem wieviel ich du er sie
      es wir ihr mich dich sich uns euch ihm ihn ihnen mein meine meinen meiner dein deine sein seine seinen seiner seinem ihre
      ihren ihrer ihrem unser unsere ist sind war waren bin bist sei wird werden wurde wurden worden geworden habe hat haben
      hatte hatten kann können konnte könnte muss müssen soll sollen darf dürfen will wollen möchte mag nicht kein keine keinen
      in im an am auf aus bei beim bis durch für gegen mit nach ohne seit über um unter von vom vor zu zum zur zwischen während
      auch nur noch schon sehr so daß dass ob weil dieser diese dieses diesen diesem jede jeder jedes man viel viele passiert geschieht hallo bitte danke tun tut getan macht`,
    lightWords: `machen mache macht gemacht tun gehen gehe geht ging gegangen laufen läuft nutzen benutzen verwenden brauchen brauche
      braucht benötigen ändern ändere halten behalten geben gebe gibt gab gegeben nehmen nimmt genommen setzen sehen sehe sieht
      gesehen wissen weiß finden finde gefunden zeigen sagen bekommen bekomme kommen kommt kam lassen lässt bleiben bleibt
      funktionieren funktioniert helfen hilft hilfe versuchen erlauben möglich sache etwas nichts alles jetzt danach vorher
      immer nie wieder neu neue neuen anderer andere anderen gleich lange frage version art typ`,
  },
  fr: {
    stemmer: 'french',
    functionWords: `le la les l un une des du de d à au aux en dans par pour sur sous avec sans chez entre vers et ou mais donc
      or ni car que qu qui quoi quel quelle quels quelles quand où comment combien pourquoi lequel laquelle si ne n pas non oui
      je j tu il elle on nous vous ils elles me m te t se s lui leur leurs y mon ma mes ton ta tes son sa ses notre nos votre
      vos ce c cet cette ces ça cela est sont était étaient être été suis es sommes êtes fut furent sera ai as a avons avez
      ont avait avaient avoir eu peut peuvent puis pouvoir doit doivent faut fait faire plus moins très aussi déjà durant
      bonjour salut merci pendant chaque autre autres`,
    lightWords: `faire fais fait aller vais va utiliser utilise avoir besoin mettre mets mis donner donne prendre prends pris voir vois vu
      savoir sais sait vouloir veux veut changer change marcher marche fonctionner fonctionne garder rester venir vient dire dit
      trouver chercher regarder montrer aider aide essayer permettre possible chose rien tout maintenant après avant toujours
      jamais encore nouveau nouvelle même ainsi bien devoir dois question version type sorte`,
  },
  it: {
    stemmer: 'italian',
    functionWords: `il lo la i gli le l un uno una di a da in con su per tra fra del dello della dei degli delle dell al allo
      alla ai agli alle all dal dalla dai dalle nel nello nella nei nelle nell sul sulla sui sulle e ed o ma né che chi cosa
      quale quali quando dove come quanto quanta quanti quante perché se non sì io tu lui lei egli noi voi loro mi ti si ci vi
      ne mio mia miei mie tuo tua suo sua suoi sue nostro nostra questo questa questi queste quello quella quelli quelle è sono
      era erano essere stato stata stati fu furono sarà ho hai ha abbiamo hanno aveva avevano avere può possono posso potere
      deve devono più meno molto anche già succede ciao grazie buongiorno durante mentre ogni altro altra altri altre c d`,
    lightWords: `fare faccio fatto andare vado va usare uso utilizzare bisogno mettere metto messo dare do dà dato prendere preso vedere
      vedo visto sapere so sa volere voglio vuole cambiare cambio funzionare funziona tenere restare rimanere venire viene dire
      dice trovare cercare guardare mostrare aiutare aiuto provare permettere possibile cosa qualcosa niente nulla tutto adesso
      ora dopo prima sempre mai ancora nuovo nuova stesso stessa così bene dovere devo domanda versione tipo`,
  },
  nl: {
    stemmer: 'dutch',
    functionWords: `de het een en of maar want als dan dat die dit deze wie wat waar wanneer waarom hoe welke welk hoeveel ik
      je jij u hij zij ze wij we jullie mij hem haar ons hen hun mijn jouw uw zijn onze is ben bent was waren wordt worden werd
      werden geweest heb hebt heeft hebben had hadden kan kunnen kon moet moeten mag mogen zal zullen wil willen niet geen in
      op aan bij van voor met naar uit over onder door om te tot zonder tussen er ook nog al zo zeer elke`,
  },
  sv: {
    stemmer: 'swedish',
    functionWords: `en ett den det de och eller men att som om när var vart varför hur vad vem vilken vilket vilka jag du han
      hon vi ni dem mig dig sig oss min mitt mina din ditt sin sitt sina är var varit blir blev har hade kan kunde ska skulle
      måste vill inte ingen i på av för med till från vid under över utan mellan genom också mycket så`,
  },
  da: {
    stemmer: 'danish',
    functionWords: `en et den det de og eller men at som om når hvor hvorfor hvordan hvad hvem hvilken hvilket hvilke jeg du
      han hun vi i dem mig dig sig os min mit mine din dit sin sit sine er var været bliver blev har havde kan kunne skal
      skulle må vil ikke ingen på af for med til fra ved under over uden mellem gennem også meget så`,
  },
  nb: {
    stemmer: 'norwegian',
    functionWords: `en ei et den det de og eller men å at som om når hvor hvorfor hvordan hva hvem hvilken hvilket hvilke jeg
      du han hun vi dere dem meg deg seg oss min mitt mine din ditt sin sitt sine er var vært blir ble har hadde kan kunne skal
      skulle må vil ikke ingen i på av for med til fra ved under over uten mellom gjennom også mye så`,
  },
  ro: {
    stemmer: 'romanian',
    functionWords: `un o al ai ale de la în din cu pe pentru prin despre fără între și sau dar că ce cine care când unde cum
      cât câtă câți câte dacă nu eu tu el ea noi voi ei ele mă te se ne vă îmi își meu mea tău său este sunt era erau fi fost
      are au avea am ai poate pot trebuie mai foarte acest această acești aceste`,
  },
  tr: {
    stemmer: 'turkish',
    functionWords: `bir ve veya ya da de ama fakat ile için gibi kadar göre bu şu o ben sen biz siz onlar ne kim hangi nasıl
      neden niçin nerede nereye zaman kaç mi mı mu mü değil var yok olan olarak oldu olur çok daha en her`,
  },
  pl: {
    functionWords: `i w we z ze na do od dla po przez przy o u za pod nad bez między oraz lub albo ale że co kto który która
      które gdy kiedy gdzie jak ile dlaczego czy nie ja ty on ona ono my wy oni mnie się mój moja jest są był była było być
      mam ma mają może można trzeba ten ta to te tego tej jest bardzo też już`,
  },
  ar: {
    stemmer: 'arabic',
    functionWords:
      'في من على إلى عن مع هل ما ماذا متى أين كيف لماذا كم هذا هذه ذلك تلك التي الذي و أو لا أن إن كان هو هي',
  },
  ru: {
    stemmer: 'russian',
    functionWords: `и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по ее мне было вот от меня о
      из ему когда где куда почему зачем сколько какой какая какие который ли или для это этот эта эти быть есть был была были
      их при под над без если можно мой`,
  },
  ca: {
    stemmer: 'catalan',
    functionWords:
      'els amb i però què quan on com per què quina quin són és aquest aquesta dels al als una uns unes més també',
  },
  cs: {
    stemmer: 'czech',
    functionWords:
      'a v ve na se z ze do je jsou že co kdo který která které kdy kde jak proč kolik nebo ale když pro od po při to ten ta',
  },
  eu: { stemmer: 'basque', functionWords: 'eta edo da dira zer nor non noiz nola zergatik zenbat ez bai bat' },
  fi: {
    stemmer: 'finnish',
    functionWords:
      'ja tai mutta on ovat oli olla ei mitä mikä kuka missä milloin miten miksi kuinka että se ne tämä joka jos kun',
  },
  hu: {
    stemmer: 'hungarian',
    functionWords:
      'a az és vagy de hogy nem van vannak volt mi ki mit hol mikor hogyan miért mennyi melyik ez egy ha is',
  },
  hy: { stemmer: 'armenian', functionWords: '' },
  ga: { stemmer: 'irish', functionWords: '' },
  sl: {
    stemmer: 'slovene',
    functionWords: 'in ali je so da se na v za z s kaj kdo kje kdaj kako zakaj koliko ki ne pa',
  },
  ta: { stemmer: 'tamil', functionWords: '' },
  zh: {
    functionWords:
      '的 了 是 在 吗 呢 什么 怎么 如何 哪 哪里 谁 和 与 我 你 他 她 它 我们 你们 他们 这 那 有 请 为什么 多少 可以 能 能够 会 要 想 几 多久 怎样 里 内 上 您 你们 或 但 而 请问 就 都 也 被 把 从 对 于',
  },
  ja: {
    functionWords:
      'は が を に の で と も か から まで へ や です ます する した し て いる いる ある この その あの 何 なに どこ いつ だれ 誰 どう どの なぜ れる られ た な',
  },
  th: {
    functionWords: 'ที่ ใน และ หรือ ของ เป็น คือ ไม่ ได้ มี จะ ให้ กับ ว่า อะไร ไหน อย่างไร เมื่อไร ทำไม ใคร นี้ นั้น',
  },
}

export const stemmerOf = (language: string): string | undefined => LANGUAGES[language]?.stemmer

const asSet = (words: string): ReadonlySet<string> => new Set(words.normalize('NFC').split(/\s+/u).filter(Boolean))

const none: ReadonlySet<string> = new Set()
const sets = new Map<string, ReadonlySet<string>>()

export const functionWordsOf = (language: string): ReadonlySet<string> => {
  const known = sets.get(language)
  if (known) return known
  const words = LANGUAGES[language]
  if (!words) return none
  const set = asSet(words.functionWords)
  sets.set(language, set)
  return set
}

export const lightWordsOf = (language: string): string => LANGUAGES[language]?.lightWords ?? ''

/** Scripts that one language (almost) owns; the first that a text is mostly written in decides. */
const SCRIPTS: readonly (readonly [RegExp, string])[] = [
  [/\p{Script=Hiragana}|\p{Script=Katakana}/gu, 'ja'],
  [/\p{Script=Hangul}/gu, 'ko'],
  [/\p{Script=Han}/gu, 'zh'],
  [/\p{Script=Thai}/gu, 'th'],
  [/\p{Script=Hebrew}/gu, 'he'],
  [/\p{Script=Greek}/gu, 'el'],
  [/\p{Script=Armenian}/gu, 'hy'],
  [/\p{Script=Georgian}/gu, 'ka'],
  [/\p{Script=Tamil}/gu, 'ta'],
  [/\p{Script=Devanagari}/gu, 'hi'],
  [/\p{Script=Bengali}/gu, 'bn'],
]

/** Letters that tell the languages of one script apart. */
const ARABIC_OTHERS: readonly (readonly [RegExp, string])[] = [
  [/[ٹڈڑںے]/u, 'ur'],
  [/[پچژگ]/u, 'fa'],
]
const CYRILLIC_OTHERS: readonly (readonly [RegExp, string])[] = [
  [/[іїєґ]/iu, 'uk'],
  [/[ђћџљњј]/iu, 'sr'],
]

/** Below this many letters a text whose function words do not tell is left undecided: no detector is right about "hi". */
const ENOUGH_LETTERS = 60
/** A detector needs no more than this many characters of a document. */
const SAMPLE_LENGTH = 4_000

/**
 * The language of a text as ISO 639-1, `undefined` when it cannot be told. Function words and scripts decide nearly always;
 * only a longer text that they leave open loads the n-gram detector, because its tables cost 50 to 90 MB of memory.
 * `likely` languages (those of the documents that are asked) win where it is close.
 */
export const detectLanguage = async (text: string, likely: readonly string[] = []): Promise<string | undefined> => {
  const sample = text.slice(0, SAMPLE_LENGTH).normalize('NFKC')
  const byScript = languageByScript(sample)
  if (byScript) return byScript
  const byWords = languageByFunctionWords(sample, likely)
  if (byWords) return byWords
  if ((sample.match(/\p{L}/gu)?.length ?? 0) < ENOUGH_LETTERS) return undefined
  const { eld } = await import('eld/extrasmall')
  const detected = eld.detect(sample)
  return detected.isReliable() && detected.language ? detected.language : undefined
}

const languageByScript = (text: string): string | undefined => {
  const letters = text.match(/\p{L}/gu)?.length ?? 0
  if (letters === 0) return undefined
  const share = (script: RegExp) => (text.match(script)?.length ?? 0) / letters
  for (const [script, language] of SCRIPTS) {
    // Japanese is told by its kana, however many of its letters are Han; Han letters alone say much in few.
    if (share(script) > (language === 'ja' ? 0.15 : 0.4)) return language
  }
  if (share(/\p{Script=Arabic}/gu) > 0.5) return ARABIC_OTHERS.find(([mark]) => mark.test(text))?.[1] ?? 'ar'
  if (share(/\p{Script=Cyrillic}/gu) > 0.5) return CYRILLIC_OTHERS.find(([mark]) => mark.test(text))?.[1] ?? 'ru'
  return undefined
}

/** Languages whose function words vote, each word weighted by how few of the languages share it. */
const VOTERS = Object.keys(LANGUAGES).filter((code) => !['ar', 'ru', 'zh', 'ja', 'th'].includes(code))

let votes: Map<string, string[]> | undefined

const votesByWord = (): Map<string, string[]> => {
  if (votes) return votes
  votes = new Map()
  for (const language of VOTERS) {
    for (const word of functionWordsOf(language)) votes.set(word, [...(votes.get(word) ?? []), language])
  }
  return votes
}

/** Letters and marks that Latin-script languages do not share with all. */
const LETTERS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/[ñ¿¡]/iu, ['es']],
  [/[ãõ]/iu, ['pt']],
  [/ç/iu, ['pt', 'fr', 'tr']],
  [/ß/u, ['de']],
  [/[äöü]/iu, ['de', 'sv', 'fi', 'tr', 'hu']],
  [/[æø]/iu, ['da', 'nb']],
  [/å/iu, ['sv', 'da', 'nb']],
  [/[ąęłżźćń]/iu, ['pl']],
  [/[ğış]/iu, ['tr']],
  [/[țșăâî]/iu, ['ro']],
  [/[ěřů]/iu, ['cs']],
  [/[őű]/iu, ['hu']],
  [/[êèëœ]|qu'/iu, ['fr']],
]

const languageByFunctionWords = (text: string, likely: readonly string[]): string | undefined => {
  const byWord = votesByWord()
  const scores = new Map<string, number>()
  const heard = new Map<string, number>()
  const vote = (language: string, weight: number) => scores.set(language, (scores.get(language) ?? 0) + weight)
  const shouting = text === text.toUpperCase()
  for (const { 0: written, index } of text.matchAll(/\p{L}+/gu)) {
    // A capital in the middle of a sentence makes a name of it: Los Angeles is no Spanish.
    if (
      !shouting &&
      index > 0 &&
      /^\p{Lu}/u.test(written) &&
      !/[.!?:¿¡"“„»\n]\s*$/u.test(text.slice(Math.max(0, index - 3), index))
    )
      continue
    const word = written.toLowerCase()
    const languages = byWord.get(word) ?? []
    // One letter says little: "a" is a word of seven languages, and of every list of options.
    for (const language of languages) {
      vote(language, (word.length === 1 ? 0.3 : 1) / languages.length)
      heard.set(language, (heard.get(language) ?? 0) + 1)
    }
  }
  for (const [letters, languages] of LETTERS) {
    if (letters.test(text)) for (const language of languages) vote(language, 1 / languages.length)
  }
  for (const [language, score] of scores) if (likely.includes(language)) scores.set(language, score * 1.5)
  const [first, second] = [...scores].sort((a, b) => b[1] - a[1])
  if (!first || first[1] < 0.3) return undefined
  // One word of another language is a slip of the pen ("wen" for "when") where a likely language has words too.
  if (heard.get(first[0]) === 1 && !likely.includes(first[0])) {
    const usual = likely.find((language) => heard.has(language))
    if (usual) return usual
  }
  return first[1] > (second?.[1] ?? 0) * 1.1 ? first[0] : undefined
}
