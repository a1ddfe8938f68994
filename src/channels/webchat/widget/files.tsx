import { useState } from 'preact/hooks'
import type { ChatMessage } from '../frames.js'
import { Close, File as FileIcon, Retry } from './icons.js'
import { filled, type Words } from './languages.js'
import type { Upload, Uploads, UploadsState } from './uploads.js'

/** Files of a message, to be seen where they are pictures and to be saved. */
export const Files = ({ files, base }: { files: NonNullable<ChatMessage['attachments']>; base: string }) => (
  <ul class="files">
    {files.map((file, at) => (
      <li key={at}>
        <Attached file={file} href={base + file.path} />
      </li>
    ))}
  </ul>
)

type AttachedProps = { file: NonNullable<ChatMessage['attachments']>[number]; href: string }

const Attached = ({ file: { name, type, size }, href }: AttachedProps) => {
  // Where the page's policy allows no pictures from elsewhere, the name stands for it.
  const [isPicture, setPicture] = useState(type.startsWith('image/'))
  return (
    <a class={isPicture ? 'picture' : 'file'} href={href} download={name} target="_blank" rel="noopener noreferrer">
      {isPicture ? (
        <img src={href} alt={name} loading="lazy" onError={() => setPicture(false)} />
      ) : (
        <>
          <FileIcon />
          <bdi>{name}</bdi>
          <span>{sizeOf(size)}</span>
        </>
      )}
    </a>
  )
}

type PendingProps = { uploads: Uploads; state: UploadsState; words: Words; limits: string }

/** Files that will go with the message that is being written, and what was not taken, with the reason. */
export const Pending = ({ uploads, state: { all, problem }, words, limits }: PendingProps) => (
  <>
    {all.length > 0 && (
      <ul class="files pending">
        {all.map((one) => (
          <li key={one.key}>
            <Waiting {...{ one, uploads, words }} />
          </li>
        ))}
      </ul>
    )}
    <p class="bad small" role="alert">
      {problem && `${filled(words[PROBLEMS[problem.kind]], { name: problem.name })} ${limits}`}
    </p>
  </>
)

const PROBLEMS = { large: 'fileLarge', type: 'fileType', many: 'fileMany' } as const

const Waiting = ({ one, uploads, words }: { one: Upload; uploads: Uploads; words: Words }) => {
  const { key, name, size, preview, state } = one
  const [isShown, setShown] = useState(preview !== null)
  return (
    <div class="file" aria-busy={state.kind === 'sending'}>
      {preview && isShown ? <img src={preview} alt="" onError={() => setShown(false)} /> : <FileIcon />}
      <bdi>{name}</bdi>
      <span class={state.kind === 'failed' ? 'bad' : ''} role="status">
        {state.kind === 'sending'
          ? words.uploading
          : state.kind === 'failed'
            ? (state.why ?? words.notUploaded)
            : sizeOf(size)}
      </span>
      {state.kind === 'failed' && state.why === null && (
        <button type="button" class="small" aria-label={`${words.again}: ${name}`} onClick={() => uploads.retry(key)}>
          <Retry />
        </button>
      )}
      <button
        type="button"
        class="small"
        aria-label={filled(words.removeFile, { name })}
        onClick={() => uploads.remove(key)}
      >
        <Close />
      </button>
    </div>
  )
}

/** In the units that a person thinks in. */
export const sizeOf = (bytes: number): string =>
  bytes < 1024 * 1024
    ? `${Math.max(1, Math.round(bytes / 1024))} KB`
    : `${(bytes / 1024 / 1024).toFixed(1).replace(/\.0$/, '')} MB`
