/** What a mail says by itself that continues a chat, in the languages of the chat. What stands in {braces} is put in. */
type LetterWords = {
  subject: string
  intro: string
  files: string
  /** Where an answer to the mail comes back into the conversation. */
  answerHere: string
  answerInChat: string
  answerOnSite: string
  toChat: string
  stop: string
}

export const LETTER_LANGUAGES = ['en', 'pt', 'es', 'ar'] as const
export type LetterLanguage = (typeof LETTER_LANGUAGES)[number]

export const LETTER_WORDS: Record<LetterLanguage, LetterWords> = {
  en: {
    subject: 'Answer from {company}',
    intro: 'You wrote to {company} in the chat and had left when this was answered:',
    files: 'Files that are in the chat: {names}',
    answerHere: 'You can answer this email, or go on in the chat.',
    answerInChat: 'Please answer in the chat. Answers to this email are not read.',
    answerOnSite: 'Please answer in the chat on the website where you wrote. Answers to this email are not read.',
    toChat: 'Back to the chat',
    stop: 'No more emails about this conversation',
  },
  pt: {
    subject: 'Resposta de {company}',
    intro: 'Você escreveu para {company} no chat e já tinha saído quando veio esta resposta:',
    files: 'Arquivos que estão no chat: {names}',
    answerHere: 'Você pode responder a este e-mail ou continuar no chat.',
    answerInChat: 'Responda no chat, por favor. Respostas a este e-mail não são lidas.',
    answerOnSite: 'Responda no chat do site onde você escreveu, por favor. Respostas a este e-mail não são lidas.',
    toChat: 'Voltar ao chat',
    stop: 'Não receber mais e-mails sobre esta conversa',
  },
  es: {
    subject: 'Respuesta de {company}',
    intro: 'Escribiste a {company} en el chat y ya te habías ido cuando llegó esta respuesta:',
    files: 'Archivos que están en el chat: {names}',
    answerHere: 'Puedes responder a este correo o seguir en el chat.',
    answerInChat: 'Responde en el chat, por favor. Las respuestas a este correo no se leen.',
    answerOnSite: 'Responde en el chat del sitio donde escribiste, por favor. Las respuestas a este correo no se leen.',
    toChat: 'Volver al chat',
    stop: 'No recibir más correos sobre esta conversación',
  },
  ar: {
    subject: 'رد من {company}',
    intro: 'كتبت إلى {company} في الدردشة وغادرت قبل أن يصل هذا الرد:',
    files: 'ملفات موجودة في الدردشة: {names}',
    answerHere: 'يمكنك الرد على هذه الرسالة أو المتابعة في الدردشة.',
    answerInChat: 'نرجو الرد في الدردشة. لا تُقرأ الردود على هذه الرسالة.',
    answerOnSite: 'نرجو الرد في الدردشة على الموقع الذي كتبت فيه. لا تُقرأ الردود على هذه الرسالة.',
    toChat: 'العودة إلى الدردشة',
    stop: 'إيقاف الرسائل الخاصة بهذه المحادثة',
  },
}
