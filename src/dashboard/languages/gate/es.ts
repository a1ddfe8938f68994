import type { Words } from '../words.js'
import type { words as english } from './en.js'

export const words: Words<typeof english> = {
  setUp: {
    title: 'Cree su cuenta',
    welcome: 'Le damos la bienvenida a {{company}}',
    invitedText: 'Tiene una invitación. Elija una contraseña y ya está dentro.',
    ownerText: 'Usted es la primera persona propietaria de esta instalación. Este enlace sirve una vez.',
    noLink: 'Esta página necesita el enlace de un solo uso que recibió.',
    spent: 'Este enlace no abre nada',
    nameHint: 'Como le ven clientes y colegas.',
    passwordHint: 'Al menos 12 caracteres. Si ya entra aquí por otra empresa, dé esa contraseña.',
    create: 'Crear cuenta',
  },
}
