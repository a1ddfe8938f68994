/** What a mail says about a channel that is refused, in the languages of the desk. What stands in {braces} is put in. */
type RefusalWords = {
  subject: string
  text: string
  /** By the code of the refusal; what is not among them stands on the channel's page. */
  why: Record<Code | 'other', string>
  page: string
  once: string
}

/** What only a person can put right. */
type Code =
  | 'token_refused'
  | 'password_refused'
  | 'mailbox_not_found'
  | 'server_unreachable'
  | 'logged_out'
  | 'forbidden'
  | 'keys_damaged'
  | 'keys_newer'
  | 'package_missing'

type RefusalLanguage = 'en' | 'pt-BR' | 'es' | 'ar'

const WORDS: Record<RefusalLanguage, RefusalWords> = {
  en: {
    subject: '{channel} is refused: customers are not served there',
    text: '{company}: the channel {channel} ({kind}) is refused. What customers write there does not arrive, and answers do not leave, until somebody puts it right.',
    why: {
      token_refused: 'The provider refuses the access token. Enter a new one.',
      password_refused: 'The server refuses the user name or the password.',
      mailbox_not_found: 'The account has no mailbox of the name that is set.',
      server_unreachable: 'The server may not be reached from here.',
      logged_out: 'The phone was unlinked. Link it again.',
      forbidden: 'The provider refuses the number. Look at the phone: the account may be restricted.',
      keys_damaged: 'The keys of the linked phone cannot be read. Restore them, or link the phone to a new channel.',
      keys_newer: 'A newer version of the product wrote the keys of the linked phone. Run that one.',
      package_missing: 'This installation was made without the package that links phones.',
      other: 'The page of the channel says why.',
    },
    page: 'To the channels: {url}',
    once: 'You are told once. If it works again and is refused anew later, you are told again.',
  },
  'pt-BR': {
    subject: '{channel} foi recusado: clientes não são atendidos por ele',
    text: '{company}: o canal {channel} ({kind}) foi recusado. O que os clientes escrevem nele não chega, e as respostas não saem, até que alguém o conserte.',
    why: {
      token_refused: 'O provedor recusa o token de acesso. Informe um novo.',
      password_refused: 'O servidor recusa o nome de usuário ou a senha.',
      mailbox_not_found: 'A conta não tem uma caixa de correio com o nome informado.',
      server_unreachable: 'O servidor não pode ser alcançado daqui.',
      logged_out: 'O telefone foi desconectado. Conecte-o de novo.',
      forbidden: 'O provedor recusa o número. Veja no telefone: a conta pode estar restrita.',
      keys_damaged:
        'As chaves do telefone conectado não podem ser lidas. Restaure-as ou conecte o telefone a um novo canal.',
      keys_newer: 'Uma versão mais nova do produto gravou as chaves do telefone conectado. Use essa versão.',
      package_missing: 'Esta instalação foi feita sem o pacote que conecta telefones.',
      other: 'A página do canal diz o motivo.',
    },
    page: 'Para os canais: {url}',
    once: 'Você é avisado uma vez. Se ele voltar a funcionar e for recusado mais tarde, será avisado de novo.',
  },
  es: {
    subject: '{channel} ha sido rechazado: ahí no se atiende a los clientes',
    text: '{company}: el canal {channel} ({kind}) ha sido rechazado. Lo que los clientes escriben ahí no llega, y las respuestas no salen, hasta que alguien lo arregle.',
    why: {
      token_refused: 'El proveedor rechaza el token de acceso. Introduzca uno nuevo.',
      password_refused: 'El servidor rechaza el nombre de usuario o la contraseña.',
      mailbox_not_found: 'La cuenta no tiene un buzón con el nombre indicado.',
      server_unreachable: 'No se puede llegar al servidor desde aquí.',
      logged_out: 'El teléfono se desvinculó. Vincúlelo de nuevo.',
      forbidden: 'El proveedor rechaza el número. Mire el teléfono: la cuenta puede estar restringida.',
      keys_damaged:
        'Las claves del teléfono vinculado no se pueden leer. Restáurelas o vincule el teléfono a un canal nuevo.',
      keys_newer: 'Una versión más nueva del producto escribió las claves del teléfono vinculado. Use esa versión.',
      package_missing: 'Esta instalación se hizo sin el paquete que vincula teléfonos.',
      other: 'La página del canal dice por qué.',
    },
    page: 'A los canales: {url}',
    once: 'Se le avisa una vez. Si vuelve a funcionar y más tarde se rechaza de nuevo, se le avisará otra vez.',
  },
  ar: {
    subject: 'رُفضت القناة {channel}: لا يُخدم العملاء فيها',
    text: '{company}: رُفضت القناة {channel} ({kind}). لا يصل ما يكتبه العملاء فيها ولا تخرج الردود حتى يُصلحها أحد.',
    why: {
      token_refused: 'يرفض المزوّد رمز الوصول. أدخل رمزًا جديدًا.',
      password_refused: 'يرفض الخادم اسم المستخدم أو كلمة المرور.',
      mailbox_not_found: 'لا يوجد في الحساب صندوق بريد بالاسم المحدد.',
      server_unreachable: 'لا يمكن الوصول إلى الخادم من هنا.',
      logged_out: 'أُلغي ربط الهاتف. اربطه من جديد.',
      forbidden: 'يرفض المزوّد الرقم. انظر إلى الهاتف: قد يكون الحساب مقيّدًا.',
      keys_damaged: 'لا يمكن قراءة مفاتيح الهاتف المربوط. استعدها، أو اربط الهاتف بقناة جديدة.',
      keys_newer: 'كتب إصدار أحدث من المنتج مفاتيح الهاتف المربوط. شغّل ذلك الإصدار.',
      package_missing: 'ثُبّت هذا النظام دون الحزمة التي تربط الهواتف.',
      other: 'صفحة القناة تذكر السبب.',
    },
    page: 'إلى القنوات: {url}',
    once: 'تُبلَّغ مرة واحدة. إذا عادت إلى العمل ثم رُفضت لاحقًا، تُبلَّغ من جديد.',
  },
}

type Facts = { channel: string; kind: string; company: string; code: string; url: string }

/** In the language that a person chose; whoever chose none reads English. */
export const refusalLetter = (
  language: string | null,
  { code, ...facts }: Facts,
): { subject: string; text: string } => {
  const words = Object.hasOwn(WORDS, language ?? '') ? WORDS[language as RefusalLanguage] : WORDS.en
  const why = words.why[Object.hasOwn(words.why, code) ? (code as Code) : 'other']
  const filled = (text: string) =>
    text.replace(/\{(\w+)\}/gu, (mark, name: string) => (facts as Record<string, string>)[name] ?? mark)
  return {
    subject: filled(words.subject),
    text: [filled(words.text), why, filled(words.page), words.once, ''].join('\n\n'),
  }
}
