import { z } from 'zod'

export const cloudSettings = z.object({
  phoneNumberId: z
    .string()
    .trim()
    .regex(/^\d{5,25}$/u, 'is a number of digits: the "Phone number ID" on the page "API Setup", not the number itself')
    .describe('Phone number ID: in Meta’s app dashboard under WhatsApp → API Setup'),
  accessToken: z
    .string()
    .trim()
    .min(20, 'is longer')
    .max(2_000)
    .regex(/^\S+$/u, 'has no spaces')
    .describe('Access token of a system user with whatsapp_business_messaging'),
  appSecret: z
    .string()
    .trim()
    .regex(/^[0-9a-f]{32}$/iu, 'is 32 digits and letters from a to f: App settings → Basic → App secret')
    .describe('App secret: with it Meta signs what it sends here'),
  verifyToken: z
    .string()
    .trim()
    .min(8, 'has at least 8 characters')
    .max(200)
    .describe('A word that you make up, and enter at Meta beside the webhook’s address'),
  graphUrl: z
    .url({ protocol: /^https?$/u })
    .default('https://graph.facebook.com')
    .describe('Address of the Graph API; another one only for a proxy or the simulator'),
  apiVersion: z
    .string()
    .regex(/^v\d{1,3}\.\d{1,2}$/u, 'looks like v25.0')
    .default('v25.0')
    .describe('Version of the Graph API'),
  personButton: z.boolean().default(true).describe('Offer a button for a person under the assistant’s answers'),
  ratingButtons: z.boolean().default(true).describe('Offer 👍 and 👎 under the assistant’s answers'),
})

export type CloudSettings = z.infer<typeof cloudSettings>
