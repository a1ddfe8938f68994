/** What the player does with a request. `says` is who speaks once it speaks: good, gullible or liar. */
export type Part =
  | { kind: 'good' }
  /** Obeys whatever instruction stands anywhere in the prompt. */
  | { kind: 'gullible' }
  /** Invents quotes, numbers and names, and puts real quotes under false sentences. */
  | { kind: 'liar' }
  | { kind: 'slow'; firstTokenMs?: number; betweenTokensMs?: number; says?: Voice }
  /** Accepts and never answers; with `headers` only the headers come. */
  | { kind: 'hanging'; headers?: boolean }
  /** `tokens` of them, then nothing more. */
  | { kind: 'stalling'; tokens?: number; says?: Voice }
  | { kind: 'limited'; retryAfter?: string | number }
  | { kind: 'failing'; status?: number }
  | { kind: 'refusing'; status?: number; code?: string; param?: string }
  | {
      kind: 'garbage'
      /** The last three are not even frames of the protocol. */
      what?:
        | 'not_json'
        | 'wrong_schema'
        | 'cut_off'
        | 'digits'
        | 'empty'
        | 'endless'
        | 'html'
        | 'broken_frames'
        | 'one_line'
    }
  /** `clean` ends the answer in the middle as if it were whole. */
  | { kind: 'cut'; when?: 'before_headers' | 'before_first_token' | 'middle' | 'clean'; tokens?: number; says?: Voice }

export type Voice = 'good' | 'gullible' | 'liar'
/** A function may keep its request waiting. */
export type Behaviour =
  | Part['kind']
  | Part
  | ((request: PlayedRequest) => Part['kind'] | Part | Promise<Part['kind'] | Part>)

/** Times are `performance.now()` of the player's process. */
export type PlayedRequest = {
  path: string
  kind: 'chat' | 'embeddings' | 'transcription' | 'other'
  /** Name of the JSON schema that was asked for. */
  schema: string | null
  authorization: string | null
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever the client sent
  body: any
  played: string
  at: number
  firstTokenAt: number | null
  /** The first ones of a streamed answer, and when each was written. */
  tokens: { text: string; at: number }[]
  /** The whole answer was handed to the socket. */
  finishedAt: number | null
  /** The line was gone before the answer was whole: the client hung up, or the part cut it. */
  closedAt: number | null
}

export type Player = {
  url: string
  /** What OPENAI_BASE_URL takes. */
  baseUrl: string
  requests: PlayedRequest[]
  received(): number
  behave(next: Behaviour): void
  script(...next: Behaviour[]): void
  forget(): void
  close(): Promise<void>
}

export const openPlayer: (options?: { port?: number; behaviour?: Behaviour; dimensions?: number }) => Promise<Player>
