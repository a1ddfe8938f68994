import type { Moment } from './opening-notice.js'

/** What the assistant says in its own name. Facts never stand here: they come from passages. */
type Phrases = {
  /** In which days are named. */
  locale: string
  fromDocuments: string
  handover: string
  /** Asked back, above the choices; the last of them is `person`. */
  whichOne: string
  /** At most twenty characters, for buttons; it is recognised as a request for a person. */
  person: string
  sorry: string
  greeting: string
  thanks: string
  goodbye: string
  asked_for_person: string
  complaint: string
  nothing_asked: string
  needs_person: string
  /** Nobody is there, and the question waits for a person. */
  outside_hours: string
  /** The assistant is paused. */
  personAnswers: string
  back(moment: Moment): string
}

const PHRASES: Record<string, Phrases> = {
  en: {
    locale: 'en-GB',
    fromDocuments: 'From our documentation:',
    handover: 'I have asked a person to help you. The answer will appear here.',
    whichOne: 'Which of these do you mean? For anything else, a person will help you.',
    person: 'Talk to a person',
    sorry: 'I could not work out an answer in time. I have asked a person to help you; the answer will appear here.',
    greeting: 'Hello! I am the automatic assistant. What would you like to know? You can ask for a person at any time.',
    thanks: 'You are welcome!',
    goodbye: 'Goodbye! Write again whenever you like.',
    asked_for_person: 'Of course. I have asked a person to help you. The answer will appear here.',
    complaint: 'I am sorry about this. I have asked a person to look at it. The answer will appear here.',
    nothing_asked: 'I have asked a person to join us. In the meantime, you can write here what you would like to know.',
    needs_person: 'Thank you, we have your message. A person will look at it and answer here.',
    outside_hours: 'Thank you, we have your message. A person will answer it here.',
    personAnswers: 'A person will answer you here.',
    back: ({ day, time, zone }) => `Somebody is back ${day ? `on ${day} ` : ''}at ${time} (${zone}).`,
  },
  pt: {
    locale: 'pt-BR',
    fromDocuments: 'Da nossa documentação:',
    handover: 'Pedi a uma pessoa que ajude você. A resposta aparecerá aqui.',
    whichOne: 'Qual destes assuntos você quer dizer? Para outro assunto, uma pessoa ajuda você.',
    person: 'Falar com alguém',
    sorry: 'Não consegui encontrar uma resposta a tempo. Pedi a uma pessoa que ajude você; a resposta aparecerá aqui.',
    greeting:
      'Olá! Sou o assistente automático. O que você gostaria de saber? Pode pedir uma pessoa a qualquer momento.',
    thanks: 'De nada!',
    goodbye: 'Até logo! Escreva de novo quando quiser.',
    asked_for_person: 'Claro. Pedi a uma pessoa que ajude você. A resposta aparecerá aqui.',
    complaint: 'Lamento muito. Pedi a uma pessoa que veja o seu caso. A resposta aparecerá aqui.',
    nothing_asked: 'Pedi a uma pessoa que se junte a nós. Enquanto isso, pode escrever aqui o que gostaria de saber.',
    needs_person: 'Obrigado, recebemos sua mensagem. Uma pessoa vai ver e responder aqui.',
    outside_hours: 'Obrigado, recebemos sua mensagem. Uma pessoa responderá aqui.',
    personAnswers: 'Uma pessoa responderá aqui.',
    back: ({ day, time, zone }) =>
      `Haverá alguém de volta${day ? ` ${/feira/.test(day) ? 'na' : 'no'} ${day}` : ''} às ${time} (${zone}).`,
  },
  es: {
    locale: 'es',
    fromDocuments: 'De nuestra documentación:',
    handover: 'He pedido a una persona que te ayude. La respuesta aparecerá aquí.',
    whichOne: '¿A cuál de estos temas te refieres? Para cualquier otra cosa, te ayuda una persona.',
    person: 'Hablar con alguien',
    sorry:
      'No he podido encontrar una respuesta a tiempo. He pedido a una persona que te ayude; la respuesta aparecerá aquí.',
    greeting:
      '¡Hola! Soy el asistente automático. ¿Qué te gustaría saber? Puedes pedir una persona en cualquier momento.',
    thanks: '¡De nada!',
    goodbye: '¡Hasta luego! Vuelve a escribir cuando quieras.',
    asked_for_person: 'Por supuesto. He pedido a una persona que te ayude. La respuesta aparecerá aquí.',
    complaint: 'Lo siento mucho. He pedido a una persona que lo revise. La respuesta aparecerá aquí.',
    nothing_asked: 'He pedido a una persona que se una. Mientras tanto, puedes escribir aquí lo que te gustaría saber.',
    needs_person: 'Gracias, hemos recibido tu mensaje. Una persona lo verá y responderá aquí.',
    outside_hours: 'Gracias, hemos recibido tu mensaje. Una persona te responderá aquí.',
    personAnswers: 'Una persona te responderá aquí.',
    back: ({ day, time, zone }) =>
      `Habrá alguien de vuelta${day ? ` el ${day}` : ''} a ${time.startsWith('1:') ? 'la' : 'las'} ${time} (${zone}).`,
  },
  de: {
    locale: 'de',
    fromDocuments: 'Aus unserer Dokumentation:',
    handover: 'Ich habe einen Menschen um Hilfe gebeten. Die Antwort erscheint hier.',
    whichOne: 'Was davon meinen Sie? Bei allem anderen hilft Ihnen ein Mensch.',
    person: 'Mit Mensch sprechen',
    sorry:
      'Ich habe nicht rechtzeitig eine Antwort gefunden und einen Menschen um Hilfe gebeten. Die Antwort erscheint hier.',
    greeting:
      'Hallo! Ich bin der automatische Assistent. Was möchten Sie wissen? Sie können jederzeit nach einem Menschen fragen.',
    thanks: 'Gern geschehen!',
    goodbye: 'Auf Wiedersehen! Schreiben Sie jederzeit wieder.',
    asked_for_person: 'Gern. Ich habe einen Menschen um Hilfe gebeten. Die Antwort erscheint hier.',
    complaint: 'Das tut mir leid. Ich habe einen Menschen gebeten, sich darum zu kümmern. Die Antwort erscheint hier.',
    nothing_asked: 'Ich habe einen Menschen dazugebeten. Bis dahin können Sie hier schreiben, was Sie wissen möchten.',
    needs_person: 'Danke, wir haben Ihre Nachricht. Eine Person sieht sie sich an und antwortet hier.',
    outside_hours: 'Danke, wir haben Ihre Nachricht. Ein Mensch antwortet Ihnen hier.',
    personAnswers: 'Ein Mensch antwortet Ihnen hier.',
    back: ({ day, time, zone }) => `${day ? `Am ${day} um` : 'Um'} ${time} Uhr (${zone}) ist wieder jemand da.`,
  },
  fr: {
    locale: 'fr',
    fromDocuments: 'D’après notre documentation :',
    handover: 'J’ai demandé à une personne de vous aider. La réponse apparaîtra ici.',
    whichOne: 'De quoi s’agit-il ? Pour toute autre question, une personne vous aidera.',
    person: 'Parler à quelqu’un',
    sorry:
      'Je n’ai pas trouvé de réponse à temps. J’ai demandé à une personne de vous aider ; la réponse apparaîtra ici.',
    greeting:
      'Bonjour ! Je suis l’assistant automatique. Que souhaitez-vous savoir ? Vous pouvez demander une personne à tout moment.',
    thanks: 'Je vous en prie !',
    goodbye: 'Au revoir ! N’hésitez pas à écrire de nouveau.',
    asked_for_person: 'Bien sûr. J’ai demandé à une personne de vous aider. La réponse apparaîtra ici.',
    complaint: 'Je suis désolé. J’ai demandé à une personne de s’en occuper. La réponse apparaîtra ici.',
    nothing_asked:
      'J’ai demandé à une personne de nous rejoindre. En attendant, vous pouvez écrire ici ce que vous souhaitez savoir.',
    needs_person: 'Merci, nous avons bien reçu votre message. Une personne va le regarder et répondre ici.',
    outside_hours: 'Merci, nous avons bien reçu votre message. Une personne vous répondra ici.',
    personAnswers: 'Une personne vous répondra ici.',
    back: ({ day, time, zone }) => `Quelqu’un sera de retour${day ? ` ${day}` : ''} à ${time} (${zone}).`,
  },
  it: {
    locale: 'it',
    fromDocuments: 'Dalla nostra documentazione:',
    handover: 'Ho chiesto a una persona di aiutarti. La risposta apparirà qui.',
    whichOne: 'Quale di questi argomenti intendi? Per qualsiasi altra cosa ti aiuta una persona.',
    person: 'Parlare con qualcuno',
    sorry: 'Non ho trovato una risposta in tempo. Ho chiesto a una persona di aiutarti; la risposta apparirà qui.',
    greeting:
      'Ciao! Sono l’assistente automatico. Che cosa vorresti sapere? Puoi chiedere una persona in qualsiasi momento.',
    thanks: 'Prego!',
    goodbye: 'Arrivederci! Scrivi di nuovo quando vuoi.',
    asked_for_person: 'Certo. Ho chiesto a una persona di aiutarti. La risposta apparirà qui.',
    complaint: 'Mi dispiace molto. Ho chiesto a una persona di occuparsene. La risposta apparirà qui.',
    nothing_asked: 'Ho chiesto a una persona di unirsi. Nel frattempo puoi scrivere qui che cosa vorresti sapere.',
    needs_person: 'Grazie, abbiamo ricevuto il tuo messaggio. Una persona lo guarderà e risponderà qui.',
    outside_hours: 'Grazie, abbiamo ricevuto il tuo messaggio. Una persona ti risponderà qui.',
    personAnswers: 'Una persona ti risponderà qui.',
    back: ({ day, time, zone }) =>
      `Qualcuno tornerà${day ? ` ${day}` : ''} ${time.startsWith('1:') ? 'all’' : 'alle '}${time} (${zone}).`,
  },
  ar: {
    locale: 'ar',
    fromDocuments: 'من وثائقنا:',
    handover: 'طلبت من شخص أن يساعدك. ستظهر الإجابة هنا.',
    whichOne: 'أيًا من هذه تقصد؟ لأي أمر آخر سيساعدك شخص.',
    person: 'أريد التحدث مع شخص',
    sorry: 'لم أجد إجابة في الوقت المناسب. طلبت من شخص أن يساعدك، وستظهر الإجابة هنا.',
    greeting: 'مرحبا! أنا المساعد الآلي. ماذا تود أن تعرف؟ يمكنك أن تطلب شخصا في أي وقت.',
    thanks: 'على الرحب والسعة!',
    goodbye: 'مع السلامة! اكتب لنا متى شئت.',
    asked_for_person: 'بالطبع. طلبت من شخص أن يساعدك. ستظهر الإجابة هنا.',
    complaint: 'يؤسفني ذلك. طلبت من شخص أن ينظر في الأمر. ستظهر الإجابة هنا.',
    nothing_asked: 'طلبت من شخص أن ينضم إلينا. في هذه الأثناء يمكنك أن تكتب هنا ما تود معرفته.',
    needs_person: 'شكرا، وصلتنا رسالتك. سينظر فيها شخص ويجيبك هنا.',
    outside_hours: 'شكرا، وصلتنا رسالتك. سيجيبك شخص هنا.',
    personAnswers: 'سيجيبك شخص هنا.',
    back: ({ day, time, zone }) => `يعود فريقنا${day ? ` ${day}` : ''} الساعة ${time} (${zone}).`,
  },
}

const ENGLISH = PHRASES.en as Phrases

/** Phrases of a language by its two-letter code; English where there are none. */
export const phrasesIn = (language: string): Phrases => PHRASES[language] ?? ENGLISH
