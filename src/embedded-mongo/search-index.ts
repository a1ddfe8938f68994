import type { Doc } from './values.js'
export class SearchIndex {
  constructor(readonly stored: Doc) {}
  replace(_seq: number, _before: Doc | null, _after: Doc | null): void {}
}
