/**
 * The words of one part in another language. Languages have other plurals than English (`_one` and `_other` are forms of
 * one key): they may hold more forms, never fewer keys.
 */
export type Words<English> = {
  [Section in keyof English]: Record<keyof English[Section], string> & Record<string, string>
}
