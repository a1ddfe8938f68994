import type { Words } from '../words.js'
import type { words as english } from './en.js'

export const words: Words<typeof english> = {
  setUp: {
    title: 'Crie sua conta',
    welcome: 'Boas-vindas à {{company}}',
    invitedText: 'Você recebeu um convite. Escolha uma senha e pronto.',
    ownerText: 'Você é a primeira pessoa proprietária desta instalação. Este link funciona uma vez.',
    noLink: 'Esta página precisa do link de uso único que você recebeu.',
    spent: 'Este link não abre nada',
    nameHint: 'Como clientes e colegas veem você.',
    passwordHint: 'Pelo menos 12 caracteres. Se você já entra aqui por outra empresa, use aquela senha.',
    create: 'Criar conta',
  },
}
