import { randomBytes } from 'node:crypto'

/**
 * A new identifier: a prefix that names the kind of thing, and 120 random bits in URL-safe base64.
 * Random on purpose: an id tells nothing about how many there are or when they were made.
 */
export const newId = (prefix: string): string => `${prefix}_${randomBytes(15).toString('base64url')}`
