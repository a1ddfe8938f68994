/**
 * What mail programs write around a quote, in the languages of those who write to us. Tables, not rules: reply.ts reads them.
 */

/** Ends the line that introduces a quote: "… wrote:". */
const WROTE = [
  ...[
    'wrote',
    'writes',
    'escreveu',
    'escreve',
    'escribió',
    'escribio',
    'a écrit',
    'a ecrit',
    'écrit',
    'schrieb',
    'schreibt',
  ],
  ...[
    'ha scritto',
    'scrive',
    'schreef',
    'geschreven',
    'geschrieben',
    'napisał',
    'napisała',
    'napisał\\(a\\)',
    'napisał/a',
    'pisze',
    'написал',
  ],
  ...[
    'написала',
    'написал\\(а\\)',
    'написал\\(-а\\)',
    'пишет',
    'писал',
    'писал\\(а\\)',
    'пише',
    'skrev',
    'kirjoitti',
    'napsal',
    'yazdı',
  ],
]
const WROTE_WITHOUT_SPACES = [
  'のメール',
  'が書きました',
  'は書きました',
  'さんは書きました',
  'wrote',
  '写道',
  '寫道',
  '写到',
  '님이 작성',
]

/** At its end, or before the name in languages that put it there: "Am … schrieb X:", "Op … schreef X:". */
export const WROTE_AT_END = new RegExp(
  `(?:(?:^|[\\s>)"'”»])(?:${WROTE.join('|')})|${WROTE_WITHOUT_SPACES.join('|')})\\s*[:：]\\s*$`,
  'iu',
)
export const WROTE_INSIDE = new RegExp(
  `(?:^|[\\s>)])(?:${['schrieb', 'schreef', 'wrote', 'skrev', 'пишет', 'написал', 'escreveu', 'escribió', 'от', 'ha scritto'].join('|')})\\s.{1,200}[:：]\\s*$`,
  'iu',
)

/** "Quoting X:", before the name and an address. */
export const QUOTING =
  /^(?:quoting|zitat von|zitiere|citando a?|cita de|citation de|citaat van|cytuję|wiadomość napisana przez)\s.{1,300}[:：]\s*$/iu

/** How such a line begins, when more than one line has to be read to see its end. */
export const WROTE_STARTS =
  /^(?:-{2,}\s*)?(?:On|At|Am|Em|El|Le|Il(?: giorno)?|Op|W dniu|Dnia|Den|В|On\s|於|在|于|Il)\s.*[\d,]|^(?:-{2,}\s*)?(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{4}\s*[年-]|\p{L}{2,4}\.?,\s+\d{1,2}\s)/u

const label = (...words: string[]) => words.join('|')

/** The lines of a quoted header, by what they say. */
export const HEADER_LABELS = {
  from: label(
    ...[
      'from',
      'von',
      'de',
      'da',
      'van',
      'od',
      'от',
      'от кого',
      'від',
      '差出人',
      '送信者',
      '发件人',
      '發件人',
      '寄件者',
      '寄件人',
      'från',
      'fra',
    ],
    ...[
      'lähettäjä',
      '보낸 사람',
      '보낸사람',
      'kimden',
      'expéditeur',
      'remitente',
      'remetente',
      'mittente',
      'afzender',
      'nadawca',
    ],
  ),
  /** No shipping list and no travel plan says these; `date` they do say. */
  sent: label(
    ...[
      'sent',
      'sent on',
      'gesendet',
      'gesendet am',
      'enviado',
      'enviada',
      'enviado el',
      'enviado em',
      'enviada em',
      'envoyé',
      'envoyé le',
      'envoyée',
    ],
    ...[
      'inviato',
      'inviato il',
      'data invio',
      'verzonden',
      'wysłano',
      'wysłane',
      'отправлено',
      '送信日時',
      '发送时间',
      '發送時間',
      '发送日期',
      '寄件日期',
    ],
    ...['傳送時間', 'skickat', 'sendt', '보낸 날짜', 'odesláno'],
  ),
  date: label('date', 'datum', 'fecha', 'data', 'дата', '日時', '日付', '日期', '时间', '時間', 'dato', '날짜'),
  to: label(
    ...[
      'to',
      'an',
      'para',
      'à',
      'a',
      'naar',
      'aan',
      'do',
      'кому',
      '宛先',
      '收件人',
      '收件者',
      'till',
      'til',
      '받는 사람',
      'destinataire',
      'destinatario',
      'komu',
    ],
  ),
  copy: label('cc', 'kopie', 'copie', 'dw', 'копия', '抄送', '副本', 'kopia', 'ccn'),
  subject: label(
    ...[
      'subject',
      'betreff',
      'assunto',
      'asunto',
      'objet',
      'oggetto',
      'onderwerp',
      'temat',
      'тема',
      '件名',
      '主题',
      '主題',
      '主旨',
      'ämne',
      'emne',
      'aihe',
      '제목',
      'předmět',
    ],
  ),
}

/** A line of dashes with these words between begins the original. */
const ORIGINAL = [
  ...[
    'original message',
    'original',
    'original email',
    'original-nachricht',
    'ursprüngliche nachricht',
    'originalnachricht',
    'mensaje original',
  ],
  ...[
    'mensagem original',
    'message d.origine',
    'message original',
    'messaggio originale',
    'oorspronkelijk bericht',
    'origineel bericht',
  ],
  ...[
    'originele bericht',
    'oryginalna wiadomość',
    'wiadomość oryginalna',
    'исходное сообщение',
    'оригинальное сообщение',
    '元のメッセージ',
  ],
  ...[
    '元のメール',
    'original mail',
    'mail original',
    'e-mail original',
    '原始邮件',
    '原始郵件',
    '原邮件',
    '原始訊息',
    'replied message',
    'reply message',
    '回复的原邮件',
    '回复邮件',
    '回覆訊息',
  ],
  ...['ursprungligt meddelande', 'oprindelig meddelelse', 'opprinnelig melding', '원본 메시지', 'original appointment'],
]
export const ORIGINAL_LINE = new RegExp(`^\\s*[-_=*─－]{2,}\\s*(?:${ORIGINAL.join('|')})\\s*[-_=*─－]*\\s*$`, 'iu')

/** What a forward begins with. */
const FORWARDED = [
  ...[
    'forwarded message',
    'forwarded by .{1,100}',
    'forwarded mail',
    'weitergeleitete nachricht',
    'weitergeleitet von .{1,100}',
  ],
  ...[
    'mensaje reenviado',
    'mensagem encaminhada',
    'mensagem reencaminhada',
    'message transféré',
    'message transmis',
    'messaggio inoltrato',
  ],
  ...[
    'doorgestuurd bericht',
    'doorgestuurde bericht',
    'przekazana wiadomość',
    'wiadomość przekazana',
    'treść przekazanej wiadomości',
    'пересланное сообщение',
    'пересылаемое сообщение',
  ],
  ...[
    'перенаправленное сообщение',
    '転送メッセージ',
    '転送されたメッセージ',
    'forwarded',
    '转发的邮件',
    '转发邮件信息',
    '轉寄郵件',
    '轉寄的郵件',
    'vidarebefordrat meddelande',
  ],
]
export const FORWARD_LINE = new RegExp(
  `^\\s*[-_=*]{3,}\\s*(?:${FORWARDED.join('|')})\\s*[:：]?\\s*[-_=*]*\\s*$|^\\s*(?:begin forwarded message|anfang der weitergeleiteten nachricht|inicio del mensaje reenviado|início da mensagem reencaminhada|début du message transféré|début du message réexpédié|inizio messaggio inoltrato|begin doorgestuurd bericht|początek przekazywanej wiadomości|начало переадресованного сообщения|転送されたメッセージ|以下は転送されたメッセージ.?|以下是转发的邮件|開始轉寄郵件)\\s*[:：]\\s*$`,
  'iu',
)

export const FORWARD_SUBJECT =
  /^\s*(?:\[[^\]]{0,80}\]\s*)?(?:fwd?|wg|tr|rv|enc|i|inoltrato|doorst|pd|przek|пересл|转发|轉寄|fs|vb|vl|vs|转)\s*[:：]/iu

/** "Reply above this line", as ticket systems write it. */
export const REPLY_ABOVE =
  /^[\s>]*(?:#{2,}|-{2,}|={2,}|\*{2,})?[-\s]*(?:please (?:type|write|enter) your reply above this line|(?:type|write) your reply above this line|reply above this line|please reply above this line|bitte (?:antworten sie )?oberhalb dieser (?:linie|zeile)(?: antworten)?|por favor,? (?:responda|responde) (?:por )?encima de esta línea|veuillez répondre au-dessus de cette ligne|escreva a sua resposta acima desta linha|por favor,? responda acima desta linha|rispondi sopra questa riga|antwoord boven deze lijn)[\s.\-#=*]*$/iu

const DEVICE =
  '(?:i ?phone|i ?pad|i ?pod|android|samsung|galaxy|huawei|xiaomi|redmi|nokia|blackberry|windows phone|smartphone|smart ?phone|mobile|phone|handy|telefon|téléphone|teléfono|telefone|telefono|telefoon|móvil|celular|portable|mobil|outlook|mail|yahoo|gmail|proton ?mail|proton|spark|aol|fairphone|pixel|htc|sony|xperia|lg|motorola|oneplus|honor|oppo|vivo|tablet|device|mi)'

/** "Sent from my …", alone on the last line. Short: a sentence about where one writes from goes on. */
export const MOBILE_SIGNATURES = [
  /^sent from my (?:[\p{L}\p{N}.-]+[ \t]*){1,5}$/iu,
  /^sent (?:from|via|with|using) [^,.!?]{1,60}\.?$/iu,
  /^get outlook for (?:ios|android|mac)/iu,
  /^(?:von|gesendet von|gesendet mit|diese nachricht wurde von|versendet mit) .{1,50}(?:gesendet|gesendet\.|handy|iphone|ipad|gerät|outlook|smartphone|mail|app)\.?$/iu,
  /^von meinem .{2,40} (?:gesendet|geschickt|aus gesendet)\.?$/iu,
  /^(?:holen sie sich|laden sie) outlook für/iu,
  /^enviad[oa] (?:desde|do|da|a partir do|con|com|pelo|via) [^,!?]{2,60}$/iu,
  /^(?:obtenga|obtener|descargar|obter|obtenha o|baixar) (?:o )?outlook para/iu,
  /^envoyé (?:de(?:puis)?|à partir de|via|avec) [^,!?]{2,60}$/iu,
  /^(?:télécharger|obtenir|téléchargez) outlook pour/iu,
  /^inviat[oa] (?:da|dal|dallo|con|tramite) [^,!?]{2,60}$/iu,
  /^(?:ottieni|scarica) outlook per/iu,
  /^(?:verzonden|verstuurd) (?:vanaf|vanuit|via|met|van) [^,!?]{2,60}$/iu,
  /^outlook voor (?:ios|android) downloaden/iu,
  /^(?:wysłano|wysłane) (?:z|ze|przez|za pomocą) [^,!?]{2,60}$/iu,
  /^(?:pobierz|skorzystaj z) (?:program(?:u)? )?outlook (?:dla|na)/iu,
  /^(?:отправлено|послано|написано) (?:с|со|из|через) [^,!?]{2,60}$/iu,
  /^(?:загрузите|скачать|получить) outlook для/iu,
  /^.{0,25}から送信(?:しました|されました)?[。.]?$/u,
  /^(?:发自|發自|從我的|从我的|来自我的|傳送自|来自).{1,40}$/u,
  /^获取 ?outlook/iu,
  new RegExp(`^(?:skickat från|sendt fra|lähetetty) .{0,20}${DEVICE}.{0,20}$`, 'iu'),
]

/** How a legal notice begins. Only a paragraph at the end that begins like one, and is long, is taken for one. */
export const DISCLAIMERS =
  /^[*_\s]*(?:(?:confidentiality|privacy|legal|disclaimer)(?: notice| note| statement)?\s*[:.-]|disclaimer\b|this (?:e-?mail|message|communication)(?: message)?(?:,? (?:and|including|together with) (?:any|all|its) (?:attachments?|files?)[^.]{0,60})?,? (?:is|are|may|contains?|has been)\b[^.]{0,80}\b(?:confidential|privileged|intended|checked for viruses|scanned)|the (?:information|contents?) (?:contained |transmitted )?(?:in|of) this (?:e-?mail|message|communication)\b|diese e-?mail (?:enthält|und|kann|ist)[^.]{0,80}(?:vertraulich|anhänge)|der inhalt dieser e-?mail\b|este (?:mensaje|correo)[^.]{0,80}(?:confidencial|dirigido|destinatari)|(?:esta|este) (?:mensagem|e-?mail)[^.]{0,80}(?:confidencia|destinat)|aviso (?:legal|de confidencialidad)|ce (?:message|courriel|mail|courrier)[^.]{0,80}(?:confidentiel|destin)|questo messaggio[^.]{0,80}(?:riservat|confidenzial)|(?:le informazioni|ai sensi del)[^.]{0,100}(?:riservat|d\.lgs|gdpr|2016\/679)|dit (?:bericht|e-?mail)[^.]{0,80}(?:vertrouwelijk|bestemd)|de informatie (?:verzonden )?in (?:dit|deze) (?:e-?mail|bericht)|(?:ta|niniejsza) wiadomość[^.]{0,80}(?:poufn|przeznaczon)|(?:это|данное|настоящее)[^.]{0,20} (?:сообщение|письмо)[^.]{0,100}конфиденциальн|(?:この|本)(?:電子)?メール[^。]{0,60}(?:機密|秘密)|(?:本|此)(?:电子)?(?:邮件|郵件)[^。]{0,60}(?:保密|机密|機密)|virus-free\b|please consider the environment\b)/iu
