/**
 * What the proof knows of a language. Operators are the words that turn a sentence's meaning without naming a thing: negations,
 * restrictions, modals, quantifiers, bounds. A language that is not here is proved by its literal words alone.
 */
export type OperatorClass = keyof typeof RULES

/**
 * What may happen to an operator between passage and sentence. `drop`: leaving it out is a fault `always`, only while a word that it
 * stands beside is `kept`, only while the `number` after it is kept, or never. `add`: it may appear without one in the
 * passage. `from`: other operators of the passage that it may stand for, because they say at least as much.
 */
type OperatorRule = {
  fault: 'negation' | 'condition' | 'modal' | 'quantity' | 'order'
  drop: 'always' | 'kept' | 'number' | 'free'
  from?: readonly string[]
}

const RULES = {
  not: { fault: 'negation', drop: 'kept', from: ['never'] },
  never: { fault: 'negation', drop: 'kept' },
  without: { fault: 'negation', drop: 'kept' },
  except: { fault: 'condition', drop: 'always' },
  unless: { fault: 'condition', drop: 'always' },
  if: { fault: 'condition', drop: 'always' },
  only: { fault: 'condition', drop: 'kept' },
  may: { fault: 'modal', drop: 'kept', from: ['can'] },
  can: { fault: 'modal', drop: 'free', from: ['may'] },
  must: { fault: 'modal', drop: 'free' },
  should: { fault: 'modal', drop: 'kept' },
  hedge: { fault: 'modal', drop: 'kept' },
  all: { fault: 'quantity', drop: 'free' },
  most: { fault: 'quantity', drop: 'kept' },
  many: { fault: 'quantity', drop: 'kept' },
  some: { fault: 'quantity', drop: 'kept' },
  few: { fault: 'quantity', drop: 'kept' },
  always: { fault: 'quantity', drop: 'free' },
  usually: { fault: 'quantity', drop: 'kept' },
  often: { fault: 'quantity', drop: 'kept' },
  sometimes: { fault: 'quantity', drop: 'kept' },
  rarely: { fault: 'quantity', drop: 'kept' },
  atLeast: { fault: 'quantity', drop: 'kept' },
  atMost: { fault: 'quantity', drop: 'kept', from: ['within'] },
  within: { fault: 'quantity', drop: 'free', from: ['atMost'] },
  moreThan: { fault: 'quantity', drop: 'number' },
  lessThan: { fault: 'quantity', drop: 'number' },
  about: { fault: 'quantity', drop: 'number' },
  more: { fault: 'quantity', drop: 'kept' },
  less: { fault: 'quantity', drop: 'kept' },
  before: { fault: 'order', drop: 'kept' },
  after: { fault: 'order', drop: 'kept' },
  until: { fault: 'order', drop: 'kept' },
  since: { fault: 'order', drop: 'kept' },
  over: { fault: 'order', drop: 'free' },
  under: { fault: 'order', drop: 'free' },
  off: { fault: 'negation', drop: 'kept' },
  out: { fault: 'negation', drop: 'kept' },
  up: { fault: 'negation', drop: 'kept' },
  down: { fault: 'negation', drop: 'kept' },
} as const satisfies Record<string, OperatorRule>

export const OPERATOR_RULES: Readonly<Record<OperatorClass, OperatorRule>> = RULES

export type Lexicon = {
  /** Words and phrases, parted by `|`; a trailing `#` says: only before a number. */
  operators: Partial<Record<OperatorClass, string>>
  /** Phrases that look like operators and are none ("not only", "whether or not"). */
  neutral: string
  /** What may stand before a claim without being one. */
  framing: string
  /** Words that name nothing: they may be added, not put in another word's place. */
  addable: string
  /** Where a clause or an item of a list begins. */
  joints: string
  prepositions: string
  /** Marks the agent of a passive, and the auxiliaries that make one. */
  agent: string
  passive: string
  you: string
  we: string
  third: string
  /** What "you" may stand for. */
  customer: string
  /** Determiners that point back to something named before. */
  pointing: string
  /** Groups of words that mean the same, irregular forms among them. */
  same: string
}

const list = (words: string): string[] =>
  words
    .split('|')
    .map((word) => word.trim().replace(/\s+/gu, ' '))
    .filter(Boolean)

export const phrases = list

const en: Lexicon = {
  operators: {
    not: 'not | anything but | no | nor | neither | none | nobody | no one | nothing | nowhere | no longer | unable to | fails to | failed to | fail to',
    never: 'never | at no time',
    without: 'without',
    except:
      'except | everything but | all but | anything except | except for | except that | excluding | apart from | aside from | other than | with the exception of',
    unless: 'unless',
    only: 'only | solely | exclusively | nothing but | merely',
    if: 'if | provided that | as long as | so long as | in case | on condition that | assuming',
    may: 'may | might | could | possibly | perhaps | potentially | maybe',
    can: 'can | able to | allowed to | permitted to | possible to',
    must: 'must | have to | has to | had to | need to | needs to | needed to | required to | obliged to | shall',
    should: 'should | ought to',
    hedge: `almost | nearly | probably | likely | unlikely | allegedly | reportedly | supposedly | apparently | believed | believe | believes | think | thinks | thought | assume | assumes | assumed | pretend | pretends | claim | claims | claimed
      | argue | argues | argued | alleged | suggest | suggests | suggested | planned | plans to | expected | proposed | partially | partly | rumoured | rumored | used to be | used to work | used to have | used to support | used to offer | used to include | used to accept | used to allow | tried to | tries to | attempted to`,
    all: 'all | every | each | everyone | everybody | everything | any | anyone | anybody',
    most: 'most | the majority of | a majority of',
    many: 'many | several | various | numerous | multiple | a lot of | lots of',
    some: 'some | certain | a few | a number of | someone | somebody',
    few: 'few | very few',
    always: 'always | at all times',
    usually: 'usually | generally | typically | normally | mostly | in most cases | in general',
    often: 'often | frequently',
    sometimes: 'sometimes | occasionally | in some cases',
    rarely:
      'rarely | seldom | hardly | barely | scarcely | hardly ever | almost never | rarely if ever | scarcely ever | next to never',
    atLeast: `at least | no less than | no fewer than | not less than | not fewer than | a minimum of | minimum of | minimum | or more | or above
      | and above | and up | or older | or later`,
    atMost:
      'at most | no more than | not more than | up to | a maximum of | maximum of | maximum | max | or less | or fewer | no later than | not later than',
    within: 'within',
    moreThan: 'more than | over# | above# | exceeding# | greater than | in excess of',
    lessThan: 'less than | fewer than | under# | below#',
    about: 'about# | around# | approximately | roughly | circa | some# | nearly# | almost# | approx',
    more: 'more',
    less: 'less | fewer',
    before: 'before | prior to | ahead of',
    after: 'after | afterwards',
    until: 'until | till',
    since: 'since',
    over: 'over | above | on top of',
    under: 'under | below | beneath | underneath',
    off: 'off',
    out: 'out',
    up: 'up',
    down: 'down',
  },
  neutral:
    'not only | whether or not | no matter | at all | not to mention | all of | as well as | more or less | so far | as of | need not only | such as | as soon as',
  framing: `yes | sure | certainly | of course | absolutely | great question | good question | thanks for asking | thank you for your question
    | thank you for asking | happy to help | please note that | please note | note that | please be aware that | please | in short | in summary | to summarise | to summarize | in other words | that said
    | to do this | to do so | to do that | here is how | according to the documentation | according to our documentation | according to the docs
    | according to our policy | according to the policy | according to the passage | according to the article | according to our records
    | based on the documentation | based on our documentation | based on the information available | as stated in the documentation | as described in the documentation
    | in addition | additionally | furthermore | moreover | also | however | therefore | thus | then | next | finally | first | in general terms
    | the documentation says that | the documentation states that | our documentation says that | the article says that | i can confirm that | we can confirm that | i am happy to tell you that | good news | hello | hi | hi there | hey
    | keep in mind that | remember that | as far as i can see | for your information | to answer your question | just so you know | it is worth noting that`,
  addable: `please simply also additionally furthermore moreover however therefore thus hence then next finally namely indeed go use using do did does
    step steps way option button link page section field menu tab information details regarding concerning would will like want wish
    documentation docs article guide manual website here there named called located situated order`,
  joints: 'and or but while whereas which who whom whose when where because although though if unless so then nor',
  prepositions: `of in on at by for from to with without into onto about against between during through over under until till since after before per via
    than as within upon among across toward towards above below behind near beside despite like`,
  agent: 'by',
  passive: 'is are was were be been being get gets got',
  you: 'you your yours yourself',
  we: 'we us our ours i me my',
  third: 'he she it they him her them his its their theirs this that these those who which one',
  customer:
    'customer customers user users client clients buyer buyers shopper shoppers person people visitor visitors one anyone everyone',
  pointing: 'the this that these those such its their his her',
  same: `buy bought purchase purchased | begin began begun start started commence | end finish conclude | phone telephone | call ring | email mail e-mail | cellphone mobile
    | refund reimburse reimbursement money-back | cost price charge fee | pay paid payment | send sent ship shipped dispatch | deliver delivery delivered | get got obtain receive received
    | keep kept retain | lose lost | win won | beat beaten defeat defeated | choose chose chosen select pick | write wrote written | give gave given provide provided supply | take took taken
    | make made create created | find found locate | build built construct constructed | hold held | lead led | lie lay | leave left | meet met | tell told | say said state stated | see saw seen | know knew known
    | grow grew grown | become became | come came | go went gone | run ran | bring brought | teach taught | think thought | sell sold | spend spent | stand stood | understand understood
    | fall fell fallen | rise rose risen | draw drew drawn | break broke broken | speak spoke spoken | show showed shown display displayed | drive drove driven | fly flew flown | throw threw thrown | wear wore worn
    | help assist assistance support | answer reply respond response | ask enquire inquire | open opened | close closed shut | change modify alter edit | remove delete erase | fix repair | job work
    | quick fast rapid | big large | small little | free complimentary gratis | allow permit let enable | forbid prohibit ban | need require requires required | item product article goods | parcel package
    | sign-in login log-in | signin login | signout logout | account profile | shop store | webpage website site | picture photo image | movie film | company firm business | child children | person people | man men | woman women
    | approximately about | also too | while whilst | because since | although though | however but | percent per-cent | day days | hour hours hr hrs | minute minutes min mins | second seconds sec secs
    | kilometre kilometer kilometres kilometers km | metre meter metres meters | centimetre centimeter cm | kilogram kilograms kg | gram grams | litre liter litres liters | mile miles | foot feet
    | gigabyte gigabytes gb | megabyte megabytes mb | kilobyte kilobytes kb | terabyte terabytes tb | colour color | cancel cancellation cancelled canceled | organisation organization | licence license | centre center
    | united-states us usa | united-kingdom uk | television tv | info information | photo photograph | maximum max | minimum min | use used utilize utilise | contact reach | happen occur occurred | entire whole | about regarding concerning`,
}

const es: Lexicon = {
  operators: {
    not: 'no | ni | ningún | ninguna | ninguno | ningunos | nada | nadie | tampoco | ya no',
    never: 'nunca | jamás',
    without: 'sin',
    except: 'excepto | salvo | a excepción de | con excepción de | con la excepción de | excluyendo | aparte de',
    unless: 'a menos que | salvo que | a no ser que | excepto si | salvo si',
    only: 'solo | sólo | solamente | únicamente | exclusivamente | tan solo | tan sólo',
    if: 'si | siempre que | siempre y cuando | en caso de que | en caso de',
    may: 'podría | podrían | quizás | quizá | tal vez | posiblemente | puede que',
    can: 'puede | pueden | podemos | puedes | podrá | podrán | puedo | podrás | es posible',
    must: 'debe | deben | debes | debemos | deberá | deberán | tiene que | tienen que | tienes que | hay que | es obligatorio | es necesario',
    should: 'debería | deberían | deberías',
    hedge:
      'casi | probablemente | supuestamente | presuntamente | aparentemente | parcialmente | afirma | afirman | sostiene | sostienen | cree | creen | creía | creían | piensa | piensan | pensaba | pensaban | opina | opinan | supone | suponen | sugiere | sugieren',
    all: 'todo | toda | todos | todas | cada | cualquier | cualquiera',
    most: 'la mayoría de | la mayoría | la mayor parte de | la mayor parte',
    many: 'muchos | muchas | varios | varias | numerosos | numerosas | múltiples | diversos | diversas',
    some: 'algunos | algunas | algún | alguna | ciertos | ciertas',
    few: 'pocos | pocas',
    always: 'siempre | en todo momento',
    usually: 'normalmente | generalmente | habitualmente | por lo general | en general | suele | suelen | usualmente',
    often: 'a menudo | frecuentemente | con frecuencia',
    sometimes: 'a veces | en ocasiones | ocasionalmente',
    rarely: 'rara vez | raramente | apenas | casi nunca',
    atLeast: 'al menos | por lo menos | como mínimo | un mínimo de | no menos de | mínimo | o más',
    atMost: 'como máximo | hasta# | a lo sumo | un máximo de | no más de | máximo | o menos',
    moreThan: 'más de | superior a | más que',
    lessThan: 'menos de | inferior a | menos que',
    about: 'aproximadamente | alrededor de | cerca de# | unos# | unas#',
    over: 'encima de | por encima',
    under: 'debajo de | por debajo | bajo',
    more: 'más',
    less: 'menos',
    before: 'antes de | antes | antes del',
    after: 'después de | después del | después | tras | luego de',
    until: 'hasta',
    since: 'desde',
  },
  neutral:
    'no solo | no sólo | no solamente | no obstante | sin embargo | sobre todo | además de | más bien | sino | por si | ante todo | así como',
  framing: `sí | claro | por supuesto | desde luego | tenga en cuenta que | ten en cuenta que | por favor | en resumen | en pocas palabras | según la documentación | según nuestra documentación
    | según nuestra política | según el artículo | de acuerdo con la documentación | de acuerdo con nuestra documentación | además | también | asimismo | entonces | primero | para ello | para hacerlo | le confirmo que | te confirmo que | le informamos de que
    | buena pregunta | gracias por su pregunta | hola | buenos días | recuerde que | recuerda que | cabe señalar que | como indica la documentación | puedo confirmar que`,
  addable:
    'además también asimismo entonces luego finalmente simplemente por favor usar utilizar paso pasos opción botón enlace página sección campo menú información detalles documentación artículo guía manual ser estar haber hace hacer llamado llamada situado',
  joints: 'y e o u pero mientras que quien quienes cual cuales cuando donde porque aunque sino si',
  prepositions:
    'de del en a al por para con sin sobre entre contra desde hasta durante ante bajo hacia según tras mediante como',
  agent: 'por',
  passive: 'fue fueron es son era eran ser sido está están siendo será serán',
  you: 'usted ustedes tú tu tus te vosotros su sus le',
  we: 'nosotros nos nuestro nuestra nuestros nuestras yo mi mis me',
  third: 'él ella ellos ellas esto eso este esta estos estas ello lo la los las se su sus le les que quien',
  customer: 'cliente clientes usuario usuarios comprador compradores persona personas',
  pointing: 'el la los las este esta estos estas ese esa esos esas dicho dicha su sus',
  same: `comprar compra adquirir | empezar comenzar iniciar | terminar acabar finalizar | teléfono móvil | correo email e-mail | reembolso reembolsar devolución | precio coste costo tarifa | pagar pago abonar | enviar envío mandar
    | recibir obtener | elegir seleccionar escoger | cambiar modificar | eliminar borrar suprimir | cancelar cancelación anular | ayudar ayuda asistencia soporte | responder respuesta contestar | artículo producto | paquete envío
    | permitir autorizar | necesitar requerir | gratis gratuito gratuita | contraseña clave | tienda comercio | abrir apertura abierto | cerrar cierre cerrado | entregar entrega | kilómetro kilómetros km | metro metros | hora horas | minuto minutos | por-ciento porciento
    | derrotar vencer | mostrar enseñar | usar utilizar | rápido veloz | grande gran | película filme | empresa compañía`,
}

const pt: Lexicon = {
  operators: {
    not: 'não | nem | nenhum | nenhuma | nada | ninguém | tampouco | já não',
    never: 'nunca | jamais',
    without: 'sem',
    except: 'exceto | salvo | à exceção de | com exceção de | com a exceção de | excluindo | exceptuando',
    unless: 'a menos que | a não ser que | salvo se | exceto se',
    only: 'só | somente | apenas | unicamente | exclusivamente',
    if: 'caso | desde que | no caso de | se você | se o | se a | se os | se as | se não | se for | se tiver | se houver | se quiser',
    may: 'poderia | poderiam | talvez | possivelmente',
    can: 'pode | podem | podemos | poderá | poderão | é possível',
    must: 'deve | devem | deverá | deverão | tem de | tem que | têm de | têm que | é obrigatório | é necessário | precisa | precisam',
    should: 'deveria | deveriam',
    hedge: 'quase | provavelmente | supostamente | alegadamente | aparentemente | parcialmente',
    all: 'todo | toda | todos | todas | cada | qualquer | quaisquer',
    most: 'a maioria de | a maioria dos | a maioria das | a maioria | a maior parte',
    many: 'muitos | muitas | vários | várias | diversos | diversas | numerosos | numerosas',
    some: 'alguns | algumas | algum | alguma | certos | certas',
    few: 'poucos | poucas',
    always: 'sempre',
    usually: 'normalmente | geralmente | habitualmente | em geral | costuma | costumam',
    often: 'frequentemente | muitas vezes | com frequência',
    sometimes: 'às vezes | por vezes | ocasionalmente',
    rarely: 'raramente',
    atLeast: 'pelo menos | no mínimo | ao menos | um mínimo de | não menos de | mínimo | ou mais',
    atMost: 'no máximo | até# | um máximo de | não mais de | máximo | ou menos',
    moreThan: 'mais de | superior a | acima de | mais do que | mais que',
    lessThan: 'menos de | inferior a | abaixo de | menos do que | menos que',
    about: 'aproximadamente | cerca de | por volta de',
    more: 'mais',
    less: 'menos',
    before: 'antes de | antes do | antes da | antes dos | antes das | antes',
    after: 'depois de | depois do | depois da | após | depois',
    until: 'até',
    since: 'desde',
  },
  neutral: 'não só | não apenas | não somente | no entanto | mais ou menos | além de | sobretudo | assim como',
  framing: `sim | claro | com certeza | por favor | em resumo | segundo a documentação | de acordo com a documentação | de acordo com a nossa documentação | de acordo com nossa política | tenha em conta que | observe que | note que
    | além disso | também | então | primeiro | para isso | para fazer isso | boa pergunta | olá | oi | bom dia | lembre-se de que | confirmo que | posso confirmar que | vale notar que`,
  addable:
    'também então depois finalmente simplesmente usar utilizar passo passos opção botão link página seção secção campo menu informação detalhes documentação artigo guia manual ser estar haver fazer chamado chamada',
  joints: 'e ou mas enquanto que quem qual quais quando onde porque embora se',
  prepositions:
    'de do da dos das em no na nos nas a ao à aos às por pelo pela pelos pelas para com sem sob sobre entre até desde contra durante após perante como',
  agent: 'por pelo pela pelos pelas',
  passive: 'foi foram é são era eram ser sido está estão sendo será serão',
  you: 'você vocês tu te seu sua seus suas teu tua o',
  we: 'nós nos nosso nossa nossos nossas eu me meu minha',
  third: 'ele ela eles elas isto isso este esta estes estas o a os as se seu sua lhe que quem',
  customer: 'cliente clientes usuário usuários utilizador utilizadores comprador compradores pessoa pessoas',
  pointing: 'o a os as este esta estes estas esse essa esses essas seu sua',
  same: `comprar compra adquirir | começar iniciar | terminar acabar finalizar | telefone celular telemóvel | email e-mail correio | reembolso reembolsar | preço custo tarifa valor | pagar pagamento | enviar envio mandar
    | receber obter | escolher selecionar | mudar alterar modificar | eliminar excluir apagar remover | cancelar cancelamento anular | ajudar ajuda suporte | responder resposta | artigo produto item | pacote encomenda
    | permitir autorizar | precisar necessitar requerer | grátis gratuito gratuita | senha palavra-passe | loja comércio | abrir abertura aberto | fechar fechado | entregar entrega | usar utilizar | hora horas | minuto minutos | empresa companhia`,
}

const de: Lexicon = {
  operators: {
    not: 'nicht | alles andere als | kein | keine | keinen | keinem | keiner | keines | nichts | niemand | weder | nirgends | nicht mehr',
    never: 'nie | niemals',
    without: 'ohne',
    except: 'außer | ausgenommen | mit ausnahme | abgesehen von',
    unless: 'es sei denn | außer wenn | sofern nicht',
    only: 'nur | ausschließlich | lediglich | bloß',
    if: 'wenn | falls | sofern | solange | vorausgesetzt',
    may: 'könnte | könnten | möglicherweise | vielleicht | eventuell | unter umständen',
    can: 'kann | können | kannst | könnt | darf | dürfen | darfst | ist möglich',
    must: 'muss | müssen | musst | müsst | muß | ist verpflichtet | sind verpflichtet',
    should: 'sollte | sollten | soll | sollen',
    hedge:
      'fast | beinahe | vermutlich | wahrscheinlich | angeblich | teilweise | voraussichtlich | mutmaßlich | behauptet | behaupten | behauptete | glauben | glaubt | denken | denkt | meinen | meint | vermuten | vermutet | vorgeschlagen',
    all: 'alle | aller | allen | alles | jede | jeder | jedes | jeden | jedem | sämtliche',
    most: 'die meisten | den meisten | meisten | die mehrheit | der großteil',
    many: 'viele | vielen | vieler | mehrere | mehreren | zahlreiche | zahlreichen | verschiedene | verschiedenen',
    some: 'einige | einigen | einiger | manche | manchen | mancher | bestimmte | bestimmten',
    few: 'wenige | wenigen',
    always: 'immer | stets | jederzeit',
    usually: 'normalerweise | in der regel | üblicherweise | meist | meistens | gewöhnlich | im allgemeinen',
    often: 'oft | häufig',
    sometimes: 'manchmal | gelegentlich',
    rarely: 'selten | kaum | kaum je | fast nie | so gut wie nie',
    atLeast: 'mindestens | wenigstens | zumindest | oder mehr | ein minimum von',
    atMost: 'höchstens | maximal | bis zu | nicht mehr als | spätestens | oder weniger',
    within: 'innerhalb | binnen',
    moreThan: 'mehr als | über#',
    lessThan: 'weniger als | unter#',
    about: 'etwa | ungefähr | circa | ca | rund | zirka | gut#',
    more: 'mehr',
    less: 'weniger',
    over: 'über | oberhalb',
    under: 'unter | unterhalb',
    before: 'vor | bevor | ehe | vorher',
    after: 'nach | nachdem | danach',
    until: 'bis',
    since: 'seit | seitdem',
  },
  neutral: 'nicht nur | nicht zuletzt | mehr oder weniger | vor allem | je nach | vor ort | nach wie vor | im laufe',
  framing: `ja | sicher | natürlich | selbstverständlich | gerne | bitte beachten sie dass | bitte beachten sie | beachten sie dass | bitte | kurz gesagt | zusammengefasst | laut dokumentation | laut unserer dokumentation | gemäß der dokumentation
    | laut der dokumentation | nach unseren unterlagen | laut unseren richtlinien | außerdem | auch | ebenso | dann | zunächst | dazu | um dies zu tun | gute frage | hallo | guten tag | vielen dank für ihre frage | ich kann bestätigen dass | denken sie daran dass`,
  addable:
    'außerdem auch ebenso dann schließlich einfach zudem bitte nutzen verwenden benutzen schritt schritte option schaltfläche link seite abschnitt feld menü information informationen details dokumentation artikel anleitung handbuch hier dort namens genannt jahr',
  joints:
    'und oder aber während sondern der die das den dem deren dessen welche welcher welches weil da obwohl wenn wo als dass daß sowie denn',
  prepositions:
    'von vom in im an am auf aus bei beim durch für gegen mit nach ohne seit um unter über vor zu zum zur zwischen während bis als wie wegen trotz ab gegenüber pro',
  agent: 'von vom durch',
  passive: 'wird werden wurde wurden worden ist sind war waren',
  you: 'sie ihnen ihr ihre ihren ihrer ihrem ihres du dich dir dein deine deinen deiner deinem man',
  we: 'wir uns unser unsere unserer unseren unserem ich mich mir mein meine',
  third: 'er sie es ihm ihn ihnen ihr ihre sein seine seinen seiner dies diese dieser dieses das man welche',
  customer: 'kunde kunden kundin kundinnen nutzer benutzer nutzerin anwender käufer person personen besteller',
  pointing: 'der die das den dem des dieser diese dieses diesen diesem sein seine ihr ihre',
  same: `kaufen kauf gekauft erwerben | beginnen beginnt begann begonnen starten startete starteten gestartet anfangen | enden endet aufhören | telefon handy | email e-mail mail | erstatten erstattung rückerstattung erstattet | preis kosten kostet gebühr | zahlen zahlung bezahlen bezahlung
    | senden gesendet schicken versenden versand verschickt | liefern lieferung geliefert | erhalten erhält bekommen bekommt | wählen auswählen ausgewählt gewählt | ändern geändert änderung | löschen gelöscht entfernen | kündigen kündigung gekündigt stornieren storno stornierung
    | helfen hilfe support unterstützung | antworten antwort beantworten | artikel produkt ware | paket sendung | erlauben erlaubt gestatten gestattet | benötigen brauchen braucht benötigt | kostenlos gratis kostenfrei | passwort kennwort | laden geschäft shop
    | öffnen geöffnet offen | schließen geschlossen schliesst | nutzen benutzen verwenden verwendet genutzt | gewinnen gewann gewonnen | besiegen besiegte besiegt schlagen schlug geschlagen | rückgabe rücksendung zurückgeben zurücksenden zurückgegeben | stunde stunden std | minute minuten min | tag tage tagen
    | kilometer km | prozent | sehen sah gesehen | geben gab gegeben | nehmen nahm genommen | schreiben schrieb geschrieben | finden fand gefunden | unternehmen firma | schnell rasch`,
}

const fr: Lexicon = {
  operators: {
    not: 'pas | tout sauf | non | aucun | aucune | rien | ni | ne plus',
    never: 'jamais',
    without: 'sans',
    except:
      'sauf | excepté | hormis | à l exception de | à l exception du | à l exception des | à l exclusion de | hors',
    unless: 'à moins que | à moins de | sauf si',
    only: 'seulement | uniquement | exclusivement | seul | seule | seuls | seules',
    if: 'si | à condition que | à condition de | pourvu que | en cas de | s il | s ils',
    may: 'pourrait | pourraient | peut être | éventuellement | possiblement',
    can: 'peut | peuvent | pouvez | pouvons | peux | pourrez | pourra | est possible',
    must: 'doit | doivent | devez | devons | dois | faut | devra | devrez | devront',
    should: 'devrait | devraient | devriez',
    hedge:
      'presque | probablement | apparemment | partiellement | prétendument | vraisemblablement | croit | croient | pense | pensent | prétend | prétendent | affirme | affirment',
    all: 'tout | toute | tous | toutes | chaque | n importe quel | n importe quelle',
    most: 'la plupart de | la plupart des | la plupart du | la plupart | la majorité des | la majorité de',
    many: 'beaucoup de | plusieurs | nombreux | nombreuses | divers | diverses',
    some: 'certains | certaines | quelques',
    few: 'peu de | peu',
    always: 'toujours | à tout moment',
    usually: 'généralement | normalement | habituellement | en général | d habitude',
    often: 'souvent | fréquemment',
    sometimes: 'parfois | quelquefois',
    rarely: 'rarement',
    atLeast: 'au moins | au minimum | minimum | ou plus',
    atMost: 'au plus | au maximum | jusqu à# | maximum | pas plus de | au plus tard | ou moins',
    moreThan: 'plus de | supérieur à | supérieure à | plus que',
    lessThan: 'moins de | inférieur à | inférieure à | moins que',
    about: 'environ | à peu près | autour de# | approximativement',
    more: 'plus',
    less: 'moins',
    before: 'avant',
    after: 'après',
    until: 'jusqu à | jusqu au | jusqu aux | jusqu en',
    since: 'depuis',
  },
  neutral:
    'pas seulement | non seulement | plus ou moins | tout à fait | tout de suite | surtout | en plus de | de plus | du tout | ainsi que',
  framing: `oui | bien sûr | certainement | veuillez noter que | notez que | s il vous plaît | en résumé | en bref | selon la documentation | d après la documentation | selon notre documentation | selon notre politique | selon l article
    | de plus | aussi | également | ensuite | d abord | pour cela | pour ce faire | bonne question | bonjour | merci pour votre question | je vous confirme que | je peux confirmer que | n oubliez pas que`,
  addable:
    'aussi également ensuite enfin simplement puis veuillez utiliser étape étapes option bouton lien page section champ menu information informations détails documentation article guide manuel ici là être faire appelé appelée nommé situé',
  joints: 'et ou mais tandis pendant que qui dont où quand lorsque parce car bien quoique si',
  prepositions:
    'de d du des en dans à au aux par pour sur sous avec sans chez entre vers contre depuis jusque avant après pendant durant selon dès comme',
  agent: 'par',
  passive: 'est sont était étaient été être fut furent sera seront',
  you: 'vous votre vos tu te ton ta tes toi',
  we: 'nous notre nos je me mon ma mes on',
  third: 'il elle ils elles ce cela ceci cette ces lui leur leurs se son sa ses le la les on qui',
  customer: 'client clients cliente clientes utilisateur utilisateurs acheteur acheteurs personne personnes',
  pointing: 'le la les l ce cet cette ces son sa ses leur leurs',
  same: `acheter achat achète | commencer débuter démarrer | terminer finir | téléphone portable mobile | email e-mail mail courriel | remboursement rembourser remboursé | prix coût tarif | payer paiement régler | envoyer envoi expédier expédition
    | livrer livraison livré | recevoir reçoit obtenir reçu | choisir sélectionner | changer modifier | supprimer effacer | annuler annulation résilier résiliation | aider aide assistance support | répondre réponse | article produit | colis paquet
    | permettre autoriser autorisé permis | nécessiter requérir requis | gratuit gratuite gratuitement | boutique magasin | ouvrir ouvert ouverte | fermer fermé fermée | utiliser | retour retourner renvoyer | heure heures h | minute minutes min | jour jours | entreprise société compagnie`,
}

const it: Lexicon = {
  operators: {
    not: 'non | tutt altro che | né | nessun | nessuno | nessuna | niente | nulla | neanche | nemmeno | neppure',
    never: 'mai',
    without: 'senza',
    except:
      'tranne | eccetto | salvo | ad eccezione di | ad eccezione del | ad eccezione dei | ad eccezione delle | escluso',
    unless: 'a meno che | salvo che | salvo se',
    only: 'solo | soltanto | solamente | unicamente | esclusivamente | sola | soli | sole',
    if: 'se | qualora | purché | nel caso in cui | in caso di',
    may: 'potrebbe | potrebbero | forse | eventualmente | possibilmente',
    can: 'può | possono | puoi | potete | possiamo | potrà | potranno | è possibile',
    must: 'deve | devono | devi | dovete | dobbiamo | dovrà | dovranno | occorre | bisogna | è necessario | è obbligatorio',
    should: 'dovrebbe | dovrebbero | dovresti',
    hedge:
      'quasi | probabilmente | presumibilmente | apparentemente | parzialmente | presunto | crede | credono | pensa | pensano | sostiene | sostengono | afferma | affermano',
    all: 'tutto | tutta | tutti | tutte | ogni | ciascun | ciascuno | ciascuna | qualsiasi | qualunque',
    most: 'la maggior parte di | la maggior parte dei | la maggior parte delle | la maggior parte | la maggioranza',
    many: 'molti | molte | diversi | diverse | vari | varie | numerosi | numerose | parecchi',
    some: 'alcuni | alcune | qualche | certi | certe',
    few: 'pochi | poche',
    always: 'sempre',
    usually: 'di solito | normalmente | generalmente | in genere | solitamente',
    often: 'spesso',
    sometimes: 'a volte | talvolta',
    rarely: 'raramente',
    atLeast: 'almeno | come minimo | un minimo di | minimo | o più',
    atMost: 'al massimo | fino a# | non più di | un massimo di | massimo | o meno | non oltre',
    within: 'entro',
    moreThan: 'più di | oltre# | superiore a',
    lessThan: 'meno di | inferiore a | sotto#',
    about: 'circa | approssimativamente | intorno a#',
    more: 'più',
    less: 'meno',
    before: 'prima di | prima del | prima della | prima che | prima',
    after: 'dopo | dopo di',
    until: 'fino a | fino al | fino alla | finché',
    since: 'dal | dalla',
  },
  neutral: 'non solo | non soltanto | più o meno | soprattutto | oltre a | tutto sommato | nonché',
  framing: `sì | certo | certamente | naturalmente | si noti che | tenga presente che | tieni presente che | per favore | in sintesi | in breve | secondo la documentazione | secondo la nostra documentazione | in base alla documentazione | secondo la nostra politica
    | inoltre | anche | poi | innanzitutto | per farlo | a tal fine | buona domanda | ciao | buongiorno | grazie per la domanda | le confermo che | posso confermare che | ricordi che | ricorda che`,
  addable:
    'inoltre anche poi infine semplicemente usare utilizzare passo passi opzione pulsante link pagina sezione campo menu informazione informazioni dettagli documentazione articolo guida manuale qui essere fare chiamato chiamata situato',
  joints: 'e ed o ma mentre che chi cui quale quali quando dove perché sebbene se',
  prepositions:
    'di del dello della dei degli delle d a al allo alla ai agli alle in nel nello nella nei nelle su sul sulla con per da dal dalla tra fra contro durante entro senza come verso',
  agent: 'da dal dallo dalla dai dagli dalle',
  passive: 'è sono era erano essere stato stata stati state fu furono viene vengono sarà saranno venne',
  you: 'lei voi tu ti te tuo tua tuoi tue suo sua suoi sue vostro vostra vi',
  we: 'noi ci nostro nostra nostri nostre io mi mio mia',
  third:
    'egli lui esso essa essi esse loro questo questa questi queste quello quella ciò lo la li le si suo sua gli che chi',
  customer: 'cliente clienti utente utenti acquirente acquirenti persona persone',
  pointing: 'il lo la i gli le l questo questa questi queste tale suo sua loro',
  same: `comprare acquistare acquisto compra | iniziare cominciare avviare | finire terminare | telefono cellulare | email e-mail mail posta | rimborso rimborsare rimborsato | prezzo costo tariffa | pagare pagamento | inviare invio spedire spedizione mandare
    | consegnare consegna | ricevere ottenere | scegliere selezionare | cambiare modificare | eliminare cancellare rimuovere | annullare annullamento disdire disdetta | aiutare aiuto assistenza supporto | rispondere risposta | articolo prodotto | pacco pacchetto
    | permettere consentire consentito permesso | richiedere necessitare richiesto | gratis gratuito gratuita gratuitamente | negozio punto | aprire aperto aperta apertura | chiudere chiuso chiusa chiusura | usare utilizzare | restituire reso restituzione | ora ore | minuto minuti | giorno giorni | azienda società`,
}

export const LEXICONS: Readonly<Record<string, Lexicon>> = { en, es, pt, de, fr, it }
