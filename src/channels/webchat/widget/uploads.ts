import type { ChatConfig } from '../settings.js'

/** Files on their way into the message that is being written. What cannot be sent is refused here, before anything leaves. */

export type SentFile = { ticket: string; name: string; size: number }

export type Upload = {
  key: number
  file: File
  state: { kind: 'sending' } | { kind: 'ready'; ticket: string } | { kind: 'failed'; why: string | null }
}

export type Problem = { kind: 'large' | 'type' | 'many'; name: string }
export type UploadsState = { all: readonly Upload[]; problem: Problem | null }

type Limits = NonNullable<ChatConfig['files']>
type Outcome = { ticket: string } | { refused: string } | null

type Needs = {
  limits: Limits
  /** `null` where the server was not reached: worth another try. */
  upload(file: File): Promise<Outcome>
  changed(): void
}

export const makeUploads = ({ limits, upload, changed }: Needs) => {
  let all: Upload[] = []
  let problem: Problem | null = null
  let keys = 0

  const put = (key: number, state: Upload['state']): void => {
    all = all.map((one) => (one.key === key ? { ...one, state } : one))
    changed()
  }

  const send = async (key: number): Promise<void> => {
    const file = all.find((one) => one.key === key)?.file
    if (!file) return
    put(key, { kind: 'sending' })
    const outcome = await upload(file)
    if (outcome && 'ticket' in outcome) put(key, { kind: 'ready', ticket: outcome.ticket })
    else put(key, { kind: 'failed', why: outcome?.refused ?? null })
  }

  const drop = (key: number): void => {
    all = all.filter((one) => one.key !== key)
  }

  return {
    state: (): UploadsState => ({ all, problem }),

    add: (given: Iterable<File>): void => {
      problem = null
      for (const file of given) {
        const fault = faultOf(file, limits, all.length)
        if (fault) {
          problem = { kind: fault, name: file.name }
          continue
        }
        const key = (keys += 1)
        all = [...all, { key, file, state: { kind: 'sending' } }]
        void send(key)
      }
      changed()
    },

    retry: (key: number): void => void send(key),

    remove: (key: number): void => {
      problem = null
      drop(key)
      changed()
    },

    /** What is ready to go with a message; it is the message's from now on. */
    take: (): SentFile[] => {
      const ready = all.flatMap(({ file: { name, size }, state }) =>
        state.kind === 'ready' ? [{ ticket: state.ticket, name, size }] : [],
      )
      for (const { key, state } of all) if (state.kind === 'ready') drop(key)
      problem = null
      changed()
      return ready
    },
  }
}

export type Uploads = ReturnType<typeof makeUploads>

const faultOf = (
  { name, size }: File,
  { most, mostBytes, extensions }: Limits,
  held: number,
): Problem['kind'] | null => {
  if (held >= most) return 'many'
  if (size > mostBytes) return 'large'
  return extensions.includes(name.split('.').at(-1)?.toLowerCase() ?? '') ? null : 'type'
}
