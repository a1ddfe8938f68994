import { useState } from 'react'
import { sendFile } from '../server/files.js'
import { queryClient } from '../server/queries.js'

/** The server's limit, said before anything is sent. */
export const MOST_BYTES = 50 * 1024 * 1024
export const ACCEPTED = '.pdf,.docx,.html,.htm,.md,.txt,.csv'
/** The server reads several at once; more at the same time only make each slower. */
const AT_ONCE = 2

export type Upload = {
  id: number
  name: string
  state: { kind: 'sending'; percent: number } | { kind: 'failed'; error: unknown } | { kind: 'too_large' }
}

let lastId = 0

/** Files on their way. One that has arrived leaves this list: from then on it is a document. */
export const useUploads = () => {
  const [uploads, setUploads] = useState<readonly Upload[]>([])
  const dismiss = (id: number) => setUploads((before) => before.filter((one) => one.id !== id))
  const put = (id: number, state: Upload['state']) =>
    setUploads((before) => before.map((one) => (one.id === id ? { ...one, state } : one)))

  const add = (files: readonly File[]): void => {
    const given = files.map((file) => ({ id: (lastId += 1), file }))
    setUploads((before) => [
      ...before,
      ...given.map(({ id, file }): Upload => {
        const state = file.size > MOST_BYTES ? { kind: 'too_large' as const } : { kind: 'sending' as const, percent: 0 }
        return { id, name: file.name, state }
      }),
    ])
    const left = given.filter(({ file }) => file.size <= MOST_BYTES)
    const next = async (): Promise<void> => {
      const one = left.shift()
      if (!one) return
      try {
        await sendFile('/api/v1/knowledge/documents', one.file, (percent) => put(one.id, { kind: 'sending', percent }))
        dismiss(one.id)
        await queryClient.invalidateQueries({ queryKey: ['documents'] })
      } catch (error) {
        put(one.id, { kind: 'failed', error })
      }
      return next()
    }
    for (let line = 0; line < AT_ONCE; line += 1) void next()
  }

  return { uploads, add, dismiss }
}
