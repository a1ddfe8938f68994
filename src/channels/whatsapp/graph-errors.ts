/** What the Graph API's error codes mean for a message ("Cloud API: error codes" in Meta's documentation). */
export type Verdict =
  /** It was not sent and will not be, whatever is tried again. `reason` is for people. */
  | { kind: 'refused'; code: string; reason: string }
  /** It was not sent; later it may be. `of` says what is to be let alone meanwhile. */
  | { kind: 'later'; code: string; reason: string; afterMs: number; of: 'message' | 'contact' | 'number' }
  /** It may have been sent or not. */
  | { kind: 'unknown'; code: string; reason: string }

export type Refusal = Extract<Verdict, { kind: 'refused' }>

const SECOND = 1_000
const MINUTE = 60 * SECOND

type Row = Verdict & { kind: 'refused' | 'later' }

const refused = (code: string, reason: string): Row => ({ kind: 'refused', code, reason })
const later = (
  code: string,
  reason: string,
  afterMs: number,
  of: 'message' | 'contact' | 'number' = 'message',
): Row => ({
  kind: 'later',
  code,
  reason,
  afterMs,
  of,
})

const TOKEN = refused('token_refused', 'WhatsApp refuses the access token. Renew it in the channel settings.')
const PERMISSION = refused(
  'permission_missing',
  'The access token lacks a permission: whatsapp_business_messaging is needed.',
)
const TEMPLATE = refused('template_unusable', 'WhatsApp refuses this template: it is missing, paused or not approved.')
const PARAMETERS = refused('template_parameters', 'The template needs other values than it was given.')
const BUSY = later('provider_busy', 'WhatsApp is not available at this moment.', 5 * SECOND)

const ROWS: Record<number, Row> = {
  0: TOKEN,
  1: BUSY,
  2: BUSY,
  3: PERMISSION,
  4: later('rate_limited', 'The app has made too many calls.', MINUTE, 'number'),
  10: PERMISSION,
  33: refused('number_unknown', 'The phone number id is not known to WhatsApp.'),
  190: TOKEN,
  368: refused('account_blocked', 'WhatsApp has blocked this business account for a while.'),
  80007: later('rate_limited', 'The business account has made too many calls.', MINUTE, 'number'),
  130429: later('rate_limited', 'The number sends faster than WhatsApp allows.', 2 * SECOND, 'number'),
  130472: refused('not_delivered', 'WhatsApp chose not to deliver this message (an experiment of theirs).'),
  130497: refused('country_not_allowed', 'The business account may not write to this country.'),
  131000: BUSY,
  131005: PERMISSION,
  131016: BUSY,
  131021: refused('recipient_is_sender', 'The number cannot write to itself.'),
  131026: refused('not_reachable', 'This person cannot be reached on WhatsApp with this message.'),
  131030: refused('recipient_not_allowed', 'The test number may only write to numbers on its list.'),
  131031: refused('account_blocked', 'WhatsApp has locked this business account.'),
  131037: refused('name_not_approved', 'The display name of the number is not approved yet.'),
  131042: refused('payment_missing', 'The business account cannot pay. Check the payment method at Meta.'),
  131045: refused('number_not_registered', 'The phone number is not registered for sending.'),
  131047: refused('window_closed', 'More than 24 hours have passed since the customer wrote. Send a template.'),
  131048: later(
    'rate_limited',
    'WhatsApp limits the number because customers blocked or reported it.',
    15 * MINUTE,
    'number',
  ),
  131049: refused(
    'not_delivered',
    'WhatsApp chose not to deliver this message to keep people from too many of its kind.',
  ),
  131050: refused('opted_out', 'This person does not want messages of this kind from the business.'),
  131051: refused('type_not_supported', 'WhatsApp does not support a message of this type.'),
  131052: refused('media_unreadable', 'WhatsApp could not read the file.'),
  131053: refused('media_unreadable', 'WhatsApp could not take the file.'),
  131056: later('rate_limited', 'Too many messages went to this person in a short time.', 6 * SECOND, 'contact'),
  131057: later('provider_busy', 'The business account is under maintenance.', 2 * MINUTE, 'number'),
  132000: PARAMETERS,
  132001: TEMPLATE,
  132005: PARAMETERS,
  132007: TEMPLATE,
  132012: PARAMETERS,
  132015: TEMPLATE,
  132016: TEMPLATE,
  133004: BUSY,
  133010: refused('number_not_registered', 'The phone number is not registered for sending.'),
}

/** `code` is `null` where the answer was no error of the Graph API: then it says nothing about the message. */
export const verdictOn = (status: number, code: number | null): Verdict => {
  if (code !== null) {
    const known = ROWS[code]
    if (known) return known
    if (code >= 200 && code <= 299) return PERMISSION
    // The error is Meta's own word that it did not take the message.
    if (status >= 500) return BUSY
    if (status === 429) return later('rate_limited', 'WhatsApp asks to slow down.', 10 * SECOND, 'number')
    return refused('refused', `WhatsApp refused the message (code ${code}).`)
  }
  if (status === 401) return TOKEN
  if (status === 429) return later('rate_limited', 'WhatsApp asks to slow down.', 10 * SECOND, 'number')
  if (status === 503) return BUSY
  if (status >= 500)
    return { kind: 'unknown', code: 'provider_broken', reason: `WhatsApp failed with status ${status}.` }
  return refused('refused', `WhatsApp refused the message (status ${status}).`)
}
