/** What the assistant says in its own name. Facts never stand here: they come from passages. */
type Phrases = { fromDocuments: string; handover: string; sorry: string }

const PHRASES: Record<string, Phrases> = {
  en: {
    fromDocuments: 'From our documentation:',
    handover: 'I have asked a person to help you. The answer will appear here.',
    sorry: 'I could not work out an answer in time. I have asked a person to help you; the answer will appear here.',
  },
  pt: {
    fromDocuments: 'Da nossa documentação:',
    handover: 'Pedi a uma pessoa que ajude você. A resposta aparecerá aqui.',
    sorry: 'Não consegui encontrar uma resposta a tempo. Pedi a uma pessoa que ajude você; a resposta aparecerá aqui.',
  },
  es: {
    fromDocuments: 'De nuestra documentación:',
    handover: 'He pedido a una persona que te ayude. La respuesta aparecerá aquí.',
    sorry:
      'No he podido encontrar una respuesta a tiempo. He pedido a una persona que te ayude; la respuesta aparecerá aquí.',
  },
  de: {
    fromDocuments: 'Aus unserer Dokumentation:',
    handover: 'Ich habe einen Menschen um Hilfe gebeten. Die Antwort erscheint hier.',
    sorry:
      'Ich habe nicht rechtzeitig eine Antwort gefunden und einen Menschen um Hilfe gebeten. Die Antwort erscheint hier.',
  },
  fr: {
    fromDocuments: 'D’après notre documentation :',
    handover: 'J’ai demandé à une personne de vous aider. La réponse apparaîtra ici.',
    sorry:
      'Je n’ai pas trouvé de réponse à temps. J’ai demandé à une personne de vous aider ; la réponse apparaîtra ici.',
  },
  it: {
    fromDocuments: 'Dalla nostra documentazione:',
    handover: 'Ho chiesto a una persona di aiutarti. La risposta apparirà qui.',
    sorry: 'Non ho trovato una risposta in tempo. Ho chiesto a una persona di aiutarti; la risposta apparirà qui.',
  },
}

const ENGLISH = PHRASES.en as Phrases

/** Phrases of a language by its two-letter code; English where there are none. */
export const phrasesIn = (language: string): Phrases => PHRASES[language] ?? ENGLISH
