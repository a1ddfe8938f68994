import type { Lexicon } from '../words.js'

export const es: Lexicon = {
  operators: {
    not: 'no | ni | ningún | ninguna | ninguno | ningunos | nada | nadie | tampoco | ya no',
    never: 'nunca | jamás',
    without: 'sin',
    except: 'excepto | salvo | a excepción de | con excepción de | con la excepción de | excluyendo | aparte de',
    unless: 'a menos que | salvo que | a no ser que | excepto si | salvo si',
    despite: 'a pesar de | pese a',
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
    atLeast:
      'al menos | por lo menos | como mínimo | un mínimo de | no menos de | mínimo | o más | o superior | y superiores | o posterior | y posteriores',
    atMost: 'como máximo | hasta# | a lo sumo | un máximo de | no más de | máximo | o menos',
    moreThan: 'más de | superior a | superiores a | más que',
    lessThan: 'menos de | inferior a | inferiores a | menos que',
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
  passive: 'fue fueron es son era eran ser sido está están esté estén sea sean siendo será serán',
  you: 'usted ustedes tú tu tus te vosotros su sus le',
  we: 'nosotros nos nuestro nuestra nuestros nuestras yo mi mis me',
  third: 'él ella ellos ellas esto eso este esta estos estas ello lo la los las se su sus le les que quien',
  customer: 'cliente clientes usuario usuarios comprador compradores persona personas',
  pointing: 'el la los las este esta estos estas ese esa esos esas dicho dicha su sus',
  same: `comprar compra adquirir | empezar comenzar iniciar | terminar acabar finalizar | teléfono móvil | correo email e-mail | reembolso reembolsar devolución | precio coste costo tarifa | pagar pago abonar | enviar envío mandar
    | recibir obtener | elegir seleccionar escoger | cambiar modificar | eliminar borrar suprimir | cancelar cancelación anular | ayudar ayuda asistencia soporte | responder respuesta contestar | artículo producto | paquete envío
    | permitir autorizar | necesitar requerir | gratis gratuito gratuita | contraseña clave | tienda comercio | abrir apertura abierto | cerrar cierre cerrado | entregar entrega | kilómetro kilómetros km | metro metros | hora horas | minuto minutos | por-ciento porciento
    | derrotar vencer | mostrar enseñar | usar utilizar | rápido veloz | debido-a a-causa-de por-causa-de | por-ejemplo p-ej | gratis sin-coste sin-cargo sin-costo | días-laborables días-hábiles | ponerse-en-contacto contactar | grande gran | película filme | empresa compañía`,
  narrowing: {
    respectively: 'respectivamente',
    ranges: 'a y o hasta',
    ages: 'años',
    and: 'y e',
    per: 'por',
    every: 'al cada',
    periods: 'hora día noche semana mes año minuto segundo usuario persona',
    when: 'cuando',
    opening: 'cuando una siempre tras luego mediante sobre bajo',
    purposes: 'para',
    granted:
      'gratis gratuito gratuita gratuitos gratuitas permitido permitida posible disponible disponibles válido válida incluido aceptado abierto cubierto',
    partitive: 'de del por',
    discourse: 'ejemplo general cambio resumen lugar tanto otra parte contrario',
    relative: 'que quien quienes cuyo',
    past: 'fue era fueron eran había habían estaba estaban',
    pastForms: '',
    pastEnding: '\\p{L}{2}(?:ó|aron|ieron|aban)',
    present: 'es son puede pueden tiene tienen',
  },
}
