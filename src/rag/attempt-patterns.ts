export type AttemptKind =
  | 'ignore_instructions'
  | 'reveal_prompt'
  | 'role_play'
  | 'instruct_assistant'
  | 'exfiltrate'
  | 'use_tool'
  | 'markup_injection'
  | 'fake_turn'
  | 'false_authority'
  | 'encoded'

// All but `MARKUP` is read over plain text: small Latin letters without accents. A gap never crosses the end of a sentence and is
// never long, so that no text, however made, takes long to read.

const GAP = '[^.!?\\n]{0,40}?'
const SHORT = '[^.!?\\n]{0,20}?'

/** Somebody is told to: the verb begins a clause or follows a word that orders. "How do I ignore…" is a question. */
const ORDER =
  '(?<=(?:^|[.!?:;,\\n\\-–—>"\'(*#\\]]|\\b(?:and|then|now|please|kindly|must|shall|just|to answer|first|you (?:should|will|may|can|must|need to|have to)|(?:can|could|would|will) you|want you to|ask you to|you to|instead|also|e|y|und|et|ed|bitte|por favor|then|assistant|ai|entao|ahora|agora|jetzt|nun))\\s{0,3})'

const words = (list: string): string => `\\b(?:${list})\\b`

const IGNORE = words(
  'ignore|disregard|forget|override|bypass|neglect|discard|do not follow|dont follow|stop following|ignora|ignorez|ignoriere|ignorieren sie|ignori|ignorem|ignoren|esqueca|esquece|olvida|olvide|vergiss|vergessen sie|missachte|oublie|oubliez|dimentica|dimentichi|desconsidere|desconsidera|descarta|descarte|deshazte|negligez|trascura',
)
const EARLIER = words(
  'previous|prior|above|earlier|preceding|former|initial|original|existing|system|your|youre|you were (?:told|given)|other|anteriores?|previas?|previos?|acima|suas?|seus?|teus?|tuas?|tus|sus|outr[oa]s|otr[oa]s|vorherigen?|bisherigen?|vorigen|obigen|deine|ihre|anderen|precedentes?|anterieures?|tes|vos|autres|precedenti|tue|tuoi|vostre|altr[ie]|everything|alles|tout|tutto|tudo|todo',
)
const RULES = words(
  'instructions?|rules?|guidelines?|prompts?|directives?|directions|constraints?|orders|commands?|programming|restrictions?|safety|policies|documents|told|taught|context|instrucoes|instrucao|regras?|diretrizes|ordens|comandos|documentos|instrucciones|reglas|ordenes|directrices|anweisungen|anweisung|regeln|vorgaben|befehle|richtlinien|dokumente|gesagt|consignes|regles|directives|ordres|istruzioni|regole|direttive|comandi|ordini|dit|disse|detto|dicho',
)

const SHOW = words(
  'show|reveal|print|repeat|output|display|tell me|give me|write(?: out| down)?|copy|leak|dump|disclose|share|quote|recite|translate|encode|expose|paste|mostre|mostra|muestra|muestrame|mostrami|revele|revela|rivela|imprima|imprime|repita|repite|ripeti|repete|zeige?|gib|nenne|wiederhole|zitiere|schreibe?|verrate?|montre|affiche|revele|repete|ecris|cite|cita|diga|dime|dimmi|escreva|escribe|scrivi|exiba|traduza|traduce|traduis',
)
const OWN_PROMPT = `${words('your|the|this|its|las|los|as|os|les|die|ihren?|deine[nr]?|dein|seus?|suas?|teu|tua|o|tu|tus|su|el|ton|ta|tes|votre|le|la|il|tuo|tue|tua|i|le tue')}${SHORT}${words(
  'system[ -]?(?:prompt|message|instructions?|anweisung(?:en)?)|prompt (?:de|del|do) sistema|prompt systeme|prompt di sistema|prompt du systeme|(?:initial|hidden|secret|internal|original|developer|geheimen?|versteckten?|ocultas?|secretas?|cachees?|secretes?|nascoste|segrete|iniciais|iniciales|initiales) (?:prompt|instructions|rules|guidelines|anweisungen|regeln|systemanweisungen|instrucoes|instrucciones|consignes|istruzioni)|(?:instrucciones|instrucoes|istruzioni|consignes|instructions|reglas|regras|regles|regole) (?:secretas|ocultas|internas|secretes|cachees|internes|segrete|nascoste|interne|iniciais|iniciales|initiales|iniziali)|systemanweisungen|system-prompt|systemprompt',
)}`

const WITHOUT_LIMITS = words(
  '(?:unrestricted|unfiltered|uncensored|jailbroken|evil|amoral)|(?:with(?:out| no)|no) (?:any )?(?:restrictions|limits|limitations|filters|rules|censorship|boundaries)|sem (?:restricoes|limites|filtros|regras)|sin (?:restricciones|limites|filtros|reglas)|ohne (?:einschrankungen|grenzen|filter|regeln)|sans (?:restrictions?|limites?|filtres?|regles)|senza (?:restrizioni|limiti|filtri|regole)',
)
const FROM_NOW = words(
  "from now on|henceforth|as of now|a partir de agora|a partir de ahora|de ahora en adelante|daqui em diante|ab jetzt|ab sofort|von nun an|a partir de maintenant|desormais|dorenavant|da ora in poi|d'ora in poi|d'ora in avanti",
)
const MACHINE = words(
  "assistants?|the ai|an? ai|ais|ai|llms?|chat ?bots?|language models?|ai (?:model|assistant|agent)s?|assistente|asistente|assistenten|assistent|assistant|l'assistant|l'assistente|ia|una ia|uma ia|un'ia|une ia|eine ki|ki|inteligencia artificial",
)

const OTHERS = words(
  "(?:other|another|all (?:your|the|our)?(?: other)?|every|previous|last(?: \\w+)?|different)\\s(?:people's|peoples|customers?'?s?|users?'?s?|clients?|compan(?:y|ies)|tenants?|persons?|visitors?|conversations? of other users)|(?:outr[oa]s|demais) (?:clientes|empresas|usuarios|utilizadores|pessoas)|(?:otr[oa]s|demas) (?:clientes|empresas|usuarios|personas)|anderen? (?:kunden|firmen|unternehmen|nutzer|benutzer|personen)|autres (?:clients|entreprises|utilisateurs|societes|personnes)|altr[ie] (?:clienti|aziende|utenti|societa|persone)",
)
const ORDER_TO_TELL = words(
  'show|list|give|tell|print|send|reveal|export|dump|name|search|read|output|liste|lista|listar|mostre|mostra|muestrame|muestra|dame|zeig(?:e)?|nenne|gib|liste|montre(?:-moi)?|donne(?:-moi)?|mostrami|elenca|dammi|envie|envia|manda|mande',
)
const THEIRS = words(
  'e-?mails?|address(?:es)?|names?|orders?|data|messages?|chats?|conversations?|phone|telephone|passwords?|documents?|details|cards?|asked|passages|files|prices?|adressen|dokumente|daten|namen|bestellungen|correos?|documentos|datos|dados|pedidos|nomes|nombres|adresses?|donnees|commandes|indirizzi|documenti|dati|ordini',
)
const ADDRESS = '(?:https?:\\/\\/|www\\.|[\\w.-]+@[\\w-]+\\.)'

const pattern = (source: string): RegExp => new RegExp(source, 'g')

const PLAIN_ORDERS: [AttemptKind, RegExp][] = [
  ['ignore_instructions', pattern(`${ORDER}${IGNORE}${GAP}${EARLIER}${SHORT}${RULES}`)],
  ['ignore_instructions', pattern(`${ORDER}${IGNORE}${SHORT}${RULES}${SHORT}${EARLIER}`)],
  ['reveal_prompt', pattern(`${ORDER}${SHOW}${GAP}${OWN_PROMPT}`)],
]

/** What is looked for in text that was turned round: only what cannot stand there by chance. */
export const TURNED = PLAIN_ORDERS

export const PATTERNS: [AttemptKind, RegExp][] = [
  ...PLAIN_ORDERS,
  [
    'ignore_instructions',
    pattern(`${EARLIER}${SHORT}${RULES}${SHORT}${words('ignorieren|missachten|vergessen')}\\s{0,3}[.!\\n]`),
  ],
  ['ignore_instructions', /ignore(?:all|the|your|any)*(?:previous|prior|above)(?:instructions|rules|prompts?)/g],
  [
    'ignore_instructions',
    pattern(
      `${words('rules|restrictions|guidelines|instructions|filters')} (?:are|is) (?:now )?(?:suspended|lifted|disabled|void|off)\\b`,
    ),
  ],
  [
    'reveal_prompt',
    pattern(
      `${words('what (?:are|is|were)|which|wie lauten|was (?:sind|ist)|quais sao|qual e|cuales son|cual es|quel(?:le)?s? (?:est|sont)|quali sono|qual e')}${SHORT}${words('your|you|deine|ihre|dein|ihr|suas?|seus?|seu|tus?|tes|ton|vos|tue|tuo')} ${SHORT}${words('(?:initial|hidden|secret|internal|original|geheimen?|ocultas?|secretas?) (?:prompt|instructions|rules|guidelines|systemanweisungen|anweisungen|regeln)|system ?(?:prompt|message|instructions)|systemanweisungen|system-?prompt')}`,
    ),
  ],
  [
    'reveal_prompt',
    pattern(
      `${ORDER}${SHOW}${GAP}${words('everything|all|text|words|alles|tudo|todo|tout|tutto')}${SHORT}${words('above|before|precedes|preceding|acima|antes|arriba|uber dieser|oberhalb|davor|precede|avant|sopra|prima|the beginning of (?:this|the|our) (?:chat|conversation)')}`,
    ),
  ],
  [
    'reveal_prompt',
    pattern(
      `${ORDER}${SHOW}${SHORT}your (?:full |entire |complete |exact )?(?:hidden |secret )?(?:instructions|guidelines|prompt|rules|configuration|regeln)\\b(?=\\s{0,3}(?:[.!\\n]|$|in full|and|verbatim|word for word|now))`,
    ),
  ],
  [
    'reveal_prompt',
    pattern(
      `${ORDER}${SHOW}${SHORT}${words('deine|ihre|tus|suas|tes|le tue')} ${words('regeln|anweisungen|reglas|instrucciones|regras|instrucoes|regles|consignes|instructions|regole|istruzioni')}\\s{0,3}(?:[.!\\n]|$)`,
    ),
  ],
  [
    'reveal_prompt',
    pattern(
      `${words('exact text|full text|verbatim|full configuration|entire configuration')}${GAP}${words('your|prompt|rules|instructions|conversation')}`,
    ),
  ],
  [
    'role_play',
    pattern(
      `\\byou(?: are|'re|re) (?:now|no longer|dan\\b|free from|going to act)(?! open| closed| available)${SHORT}${words('dan|an?|in|the|bound|restricted|unrestricted|free|called|named|my|work|acting')}`,
    ),
  ],
  ['role_play', pattern(`\\byou now (?:work for|are|act|serve|obey|belong)\\b`)],
  [
    'role_play',
    pattern(
      `${words('act|behave|respond|answer|pretend|aja|antworte|rispondi|responde|responda|reponds|agir|actua|actue|handle|agis|agisci|atue|comporta(?:te)?|verhalte dich|play|be|become|eres|voce e|tu es|sei|bist du|bist|are')}${GAP}${WITHOUT_LIMITS}`,
    ),
  ],
  [
    'role_play',
    pattern(
      `${ORDER}pretend ${SHORT}(?:the|an?|my|our) (?:manager|admin(?:istrator)?|owner|ceo|employee|human|boss|developer|support agent)\\b`,
    ),
  ],
  [
    'role_play',
    pattern(
      `\\b(?:you are|youre|you're|respond|answer|operate|run|now)${SHORT}\\b(?:dan|developer|debug|god|jailbreak|unrestricted|admin|root|sudo|maintenance) mode\\b`,
    ),
  ],
  ['role_play', /\b(?:do|doing) anything now\b|\bdan mode\b|\bjailbreak mode\b/g],
  [
    'role_play',
    pattern(
      `${FROM_NOW}${SHORT}${words('you|your|voce|tu|vous|eres|bist du|bist|du|sie|sei|es|responda|responde|reponds|put|say|answer|end|add|tell|termine|termina|antworte|antwortest')}`,
    ),
  ],
  [
    'role_play',
    pattern(
      `(?:^|[.!?:;,\\n]\\s{0,3})${words('say that you are|say you are|claim (?:that )?you are|di que eres|diga que (?:e|voce e)|sag(?:e)?,? dass du|dis que tu es|di che sei')}${SHORT}${words('human|person|employee|agent|not an? bot|humana|humano|persona|pessoa|empleada|mensch|mitarbeiter|humain|personne|umano|umana')}`,
    ),
  ],
  [
    'instruct_assistant',
    pattern(
      `${words('note|instructions?|message|attention|hinweis|nota|note|aviso|mensagem|mensaje|nachricht|important|warning')} (?:to|for|an|para|a|per|pour|al|ao|all|de|fur)${SHORT}${MACHINE}`,
    ),
  ],
  [
    'instruct_assistant',
    pattern(
      `${words('if you are|if youre|if you re|se (?:voce )?(?:e|for)|si eres|si usted es|wenn du|falls du|si tu es|si vous etes|se sei')}${SHORT}${words('an? (?:ai|llm|assistant|language model|chat ?bot|bot)|u?ma ia|una ia|eine? (?:ki|assistent|sprachmodell)|une ia|un assistant|un.?ia|un assistente|un asistente')}`,
    ),
  ],
  [
    'instruct_assistant',
    pattern(`${MACHINE} (?:reading|processing|summari[sz]ing|who reads?|that reads?|indexing) (?:this|these)`),
  ],
  [
    'instruct_assistant',
    pattern(
      `(?:^|[.!?\\n]\\s{0,3})(?:assistant|ai|bot|chatbot|assistente|asistente|assistent),? (?:please |before you (?:answer|reply)|run|call|execute|confirm|send|tell|say|answer|ignore|you must|always|never)`,
    ),
  ],
  [
    'instruct_assistant',
    pattern(
      `${ORDER}(?:always |only )?(?:answer|reply|respond|say|state|confirm)(?: only| always)? (?:with|by|that|only|this|in writing)${GAP}${words('instead|https?|www|only with|official|to (?:every|all|any) (?:question|customer|user)s?|i get|whatever|nothing else|resigned|the word|are free|is free')}`,
    ),
  ],
  [
    'instruct_assistant',
    pattern(`\\byou must (?:now |always |only )?(?:say|answer|reply|respond|confirm|state|obey|tell)\\b`),
  ],
  [
    'instruct_assistant',
    pattern(
      `\\bwhen(?:ever)? (?:i|someone|somebody|anyone|an? (?:customer|user)|they) asks? (?:about|for|you)?${SHORT},? (?:answer|reply|say|respond|tell)\\b`,
    ),
  ],
  [
    'instruct_assistant',
    pattern(
      `${ORDER}${words('add|put|include|insert|append|attach|ajoute|adiciona|adicione|anade|incluye|inclua|aggiungi|fuge|hange|show|display|render|affiche|mostre|muestra|zeige|mostra|end|finish|start|termina|termine|beende|answer|reply|schreibe')}${SHORT}${words('every|each|all|any|jeder?|todas?|todos|cada|chaque|toutes?|ogni|alle|answers?|reply|replies|messages?|respuestas|respostas|reponses|risposte')}${GAP}(?:${ADDRESS}|${words('link|image|enlace|imagen|imagem|bild|lien|immagine|logo')})`,
    ),
  ],
  [
    'instruct_assistant',
    pattern(
      `${ORDER}(?:answer|reply|respond|end|finish|termina|termine|beende|antworte|responde|responda|reponds)${GAP}${ADDRESS}`,
    ),
  ],
  [
    'instruct_assistant',
    pattern(
      `${ORDER}tell (?:every|all|each|the|any)? ?(?:customers?|users?|visitors?|clients?|people)\\b (?:that|to|everything|it|we|there)`,
    ),
  ],
  ['instruct_assistant', pattern(`\\bsa(?:y|ge?) (?:and|nothing|alles ist|everything is|nothing else|only)\\b`)],
  [
    'instruct_assistant',
    pattern(
      `(?:^|[.:,;\\n]\\s{0,3}|\\b(?:you|must|to) )(?:answer|reply|respond) only with\\b|\\bsay [a-z]+-[a-z0-9]+\\b|\\bantwortest du nur\\b|\\breponds (?:desormais )?uniquement\\b`,
    ),
  ],
  ['exfiltrate', pattern(`${ORDER}${ORDER_TO_TELL}\\b${GAP}${OTHERS}`)],
  ['exfiltrate', pattern(`${ORDER}${ORDER_TO_TELL}\\b${GAP}${THEIRS}${SHORT}${OTHERS}`)],
  ['exfiltrate', pattern(`\\bcompany_?id\\s{0,3}[=:]`)],
  [
    'exfiltrate',
    pattern(
      `${ORDER}(?:send|post|forward|append|transmit|upload|exfiltrate)${GAP}${words('customer|conversation|history|chat|data|secret|prompt|password')}${GAP}(?:to|at|into) ${SHORT}[\\w.-]*(?:@|https?:|www\\.)`,
    ),
  ],
  ['exfiltrate', pattern(`\\blook up (?:the )?(?:documents?|data|customers?|files?) of (?:company|another|other)\\b`)],
  ['exfiltrate', pattern(`\\b(?:password|api key|secret key|credentials)\\b${GAP}\\b(?:at|to|on) ${ADDRESS}`)],
  [
    'use_tool',
    pattern(
      `${ORDER}(?:call|run|execute|invoke|ejecuta|fuhre|esegui|appelle)${SHORT}${words('function|tool|command|funcao|funcion|funktion|fonction|funzione')}`,
    ),
  ],
  ['use_tool', /["']?(?:tool|function|tool_name|function_call|tool_calls)["']?\s{0,3}:\s{0,3}["'{[]/g],
  ['use_tool', pattern(`(?:^|\\n)[ \\t]{0,8}sudo \\w+${GAP}\\b(?:conversation|rights|owner|admin|account|role)`)],
  ['use_tool', pattern(`${ORDER}(?:first )?call https?:\\/\\/`)],
  ['fake_turn', /<\|?\s{0,3}(?:im_start|im_end|system|endoftext|assistant|user)\s{0,3}\|?>|\[\/?inst\]|<<\/?sys>>/g],
  [
    'fake_turn',
    /<\/(?:question|context|documents?|passages?|message|customer(?:_message)?|user|history|instructions|prompt)>\s{0,3}(?=<|\S)/g,
  ],
  ['fake_turn', /(?:^|\n)[ \t]{0,8}#{2,}\s{0,3}(?:system|instructions?|assistant|new instructions)\b\s{0,3}:?/g],
  [
    'fake_turn',
    /(?:^|\n)[ \t]{0,8}(?:-{2,}\s{0,3}end of (?:document|context|prompt)|(?:new|updated) (?:system )?instructions\s{0,3}:)/g,
  ],
  [
    'fake_turn',
    pattern(
      `(?:^|\\n)[ \\t]{0,8}(?:system|systeme|sistema|developer)\\s{0,3}(?:message|prompt|note)?\\s{0,3}:${GAP}${words('you|your|ignore|must|only|always|never|assistant|du|antworte|antwortest|reponds|desormais|ab sofort|responde|responda|rispondi|voce')}`,
    ),
  ],
  ['fake_turn', /\S\n{1,3}[ \t]{0,8}(?:assistant|chatbot|ai)\s{0,2}:\s{0,3}\S/g],
  ['fake_turn', /["']role["']\s{0,3}:\s{0,3}["'](?:system|assistant|developer)["']/g],
  [
    'false_authority',
    pattern(
      `\\b(?:system|admin(?:istrator)?|operator|developer) (?:message|override|command)\\b(?:${SHORT}\\b(?:from your|set|grant|give|mark|:)|\\s{0,3}:)`,
    ),
  ],
  [
    'false_authority',
    pattern(
      `\\b(?:i am|i'm|im|this is|as) (?:the|your|an?) (?:developer|creator|admin(?:istrator)?|operator|owner|programmer|supervisor|engineer)\\b(?: of (?:this|the) (?:bot|assistant|ai|system))?${SHORT}${words('give|grant|authori[sz]e|dump|show|you must|allow|at openai|command|order you|tell me')}`,
    ),
  ],
  [
    'false_authority',
    pattern(
      `\\b(?:i am|i'm|im) (?:the|your|an?) (?:developer|creator|admin(?:istrator)?|operator|owner)\\b[^\\n]{0,10}[.,]\\s{0,3}(?:for debugging|give|show|dump|tell|grant)`,
    ),
  ],
  [
    'false_authority',
    pattern(`\\b(?:i|we) (?:hereby )?(?:authori[sz]e|permit|allow) you to\\b|\\byou may show me (?:other|another)`),
  ],
  ['false_authority', pattern(`\\bagent \\([a-z]+\\):|\\bi hereby approve\\b`)],
]

/** Over the text as given: markup is what it is. */
export const MARKUP: [AttemptKind, RegExp][] = [
  ['markup_injection', /!\[[^\]\n]{0,200}\]\(\s{0,3}(?:https?:)?\/\//gi],
  ['markup_injection', /!\[[^\]\n]{0,200}\]\[[^\]\n]{0,50}\]/g],
  [
    'markup_injection',
    /<(?:img|svg|body|iframe|video|audio|input|a|div|details|object|embed)\b[^>]{0,300}?[\s/"']on[a-z]{3,20}\s{0,3}=/gi,
  ],
  [
    'markup_injection',
    /<(?:img|iframe|object|embed)\b[^>]{0,300}?(?:src|data)\s{0,3}=\s{0,3}\\?["']?(?:https?:)?\/\//gi,
  ],
  ['markup_injection', /<script\b[^>]{0,300}>/gi],
  ['markup_injection', /<style\b[^>]{0,100}>\s{0,3}@import/gi],
  ['markup_injection', /\b(?:javascript|vbscript):\s{0,3}[\w(]/gi],
  ['markup_injection', /\bdata:text\/html/gi],
]
