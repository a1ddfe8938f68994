import { Router, urlencoded } from 'express'
import { AppError } from '../platform/errors.js'

export type StopPageNeeds = {
  stopMail: {
    look(token: string): Promise<{ language: string | null } | null>
    stop(token: string): Promise<boolean>
  }
}

type Words = { title: string; ask: string; stop: string; done: string; unknown: string }

const WORDS: Record<string, Words> = {
  en: {
    title: 'Emails about your conversation',
    ask: 'When somebody answers in the chat while you are away, we send it to you by email.',
    stop: 'Stop these emails',
    done: 'You will get no more emails about this conversation.',
    unknown: 'This link does not open anything.',
  },
  pt: {
    title: 'E-mails sobre a sua conversa',
    ask: 'Quando alguém responde no chat e você não está, enviamos a resposta por e-mail.',
    stop: 'Parar estes e-mails',
    done: 'Você não receberá mais e-mails sobre esta conversa.',
    unknown: 'Este link não abre nada.',
  },
  es: {
    title: 'Correos sobre tu conversación',
    ask: 'Cuando alguien responde en el chat y no estás, te enviamos la respuesta por correo.',
    stop: 'Dejar de recibir estos correos',
    done: 'No recibirás más correos sobre esta conversación.',
    unknown: 'Este enlace no abre nada.',
  },
  ar: {
    title: 'رسائل البريد عن محادثتك',
    ask: 'عندما يرد أحد في الدردشة وأنت غائب، نرسل الرد إليك بالبريد الإلكتروني.',
    stop: 'إيقاف هذه الرسائل',
    done: 'لن تصلك رسائل أخرى عن هذه المحادثة.',
    unknown: 'هذا الرابط لا يفتح شيئًا.',
  },
}

/**
 * Where a customer ends the mails about a conversation. Looking changes nothing, because mail programs open links before people
 * do; the button does, and so does the one call of a mail program that RFC 8058 describes.
 */
export const makeStopPage = ({ stopMail }: StopPageNeeds): Router => {
  const router = Router()
  const tokenIn = (query: unknown): string => {
    const { t } = query as { t?: unknown }
    return typeof t === 'string' ? t : ''
  }

  router.get('/', async (req, res) => {
    res.locals.route = '/mail/stop'
    const found = await stopMail.look(tokenIn(req.query))
    const language = spoken(found?.language)
    const { ask, stop, unknown } = WORDS[language] as Words
    res.status(found ? 200 : 404).set('Cache-Control', 'no-store')
    res.send(
      page(
        language,
        found ? `<p>${ask}</p><form method="post"><button type="submit">${stop}</button></form>` : `<p>${unknown}</p>`,
      ),
    )
  })

  router.post('/', urlencoded({ extended: false, limit: '1kb' }), async (req, res) => {
    res.locals.route = '/mail/stop'
    const token = tokenIn(req.query)
    if (!(await stopMail.stop(token)))
      throw new AppError('not_found', 'link_invalid', 'This link does not open anything.')
    const language = spoken((await stopMail.look(token))?.language)
    res.set('Cache-Control', 'no-store').send(page(language, `<p role="status">${(WORDS[language] as Words).done}</p>`))
  })

  return router
}

const spoken = (language: string | null | undefined): string => (language && language in WORDS ? language : 'en')

const page = (language: string, body: string): string => {
  const { title } = WORDS[language] as Words
  return `<!doctype html>
<html lang="${language}" dir="${language === 'ar' ? 'rtl' : 'ltr'}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/page.css">
</head>
<body>
<main><h1>${title}</h1>${body}</main>
</body>
</html>
`
}
