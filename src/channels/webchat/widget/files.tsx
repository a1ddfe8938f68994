import { useEffect, useRef, useState } from 'preact/hooks'
import type { ChatMessage } from '../frames.js'
import { Close, File as FileIcon, Retry } from './icons.js'
import { filled, type Words } from './languages.js'
import type { Upload, Uploads, UploadsState } from './uploads.js'

/** Files of a message, to be seen or played where they are pictures, sound or film, and to be saved. */
export const Files = ({ files, base }: { files: NonNullable<ChatMessage['attachments']>; base: string }) => (
  <ul class="files">
    {files.map((file, at) => (
      <li key={at}>
        <Played file={file} href={base + file.path} />
        <Attached file={file} href={base + file.path} />
      </li>
    ))}
  </ul>
)

type AttachedProps = { file: NonNullable<ChatMessage['attachments']>[number]; href: string }

/**
 * By the browser's own player. The page's policy may allow no sound from us, and not every browser plays everything: then the
 * file is there to be saved. The address stays while it plays: each look at the chat signs a new one.
 */
const Played = ({ file: { name, type }, href }: AttachedProps) => {
  const [address] = useState(href)
  const [broken, setBroken] = useState(false)
  const Player = type.split('/')[0]
  if (broken || (Player !== 'audio' && Player !== 'video')) return null
  return (
    <Player class="played" controls preload="none" src={address} aria-label={name} onError={() => setBroken(true)} />
  )
}

const Attached = ({ file: { name, type, size }, href }: AttachedProps) => {
  const [isPicture, setPicture] = useState(type.startsWith('image/'))
  return (
    <a class={isPicture ? 'picture' : 'file'} href={href} download={name} target="_blank" rel="noopener noreferrer">
      {isPicture ? (
        <Picture of={href} name={name} width={480} broken={() => setPicture(false)} />
      ) : (
        <>
          <FileIcon />
          <bdi>{name}</bdi>
          <span dir="ltr">{sizeOf(size)}</span>
        </>
      )}
    </a>
  )
}

type PictureProps = { of: string | File; name: string; width: number; broken(): void }

/** Drawn, not loaded by an `img`: the page's policy may allow pictures from nowhere, but it lets the chat talk to its server. */
const Picture = ({ of, name, width, broken }: PictureProps) => {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const draw = async () => {
      const whole = await createImageBitmap(
        of instanceof File ? of : await (await fetch(of, { credentials: 'omit' })).blob(),
      )
      const target = canvas.current
      if (!target) return
      target.width = Math.min(width, whole.width)
      target.height = Math.max(1, Math.round((whole.height * target.width) / whole.width))
      target.getContext('2d')?.drawImage(whole, 0, 0, target.width, target.height)
      whole.close()
    }
    draw().catch(broken)
  }, [of instanceof File ? of : of.split('?')[0]])
  return <canvas ref={canvas} role="img" aria-label={name} width={1} height={1} />
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
  const { key, file, state } = one
  const { name, size, type } = file
  const [isPicture, setPicture] = useState(type.startsWith('image/'))
  return (
    <div class="file" aria-busy={state.kind === 'sending'}>
      {isPicture ? <Picture of={file} name={name} width={64} broken={() => setPicture(false)} /> : <FileIcon />}
      <bdi>{name}</bdi>
      <span class={state.kind === 'failed' ? 'bad' : ''} role="status">
        {state.kind === 'sending' ? (
          words.uploading
        ) : state.kind === 'failed' ? (
          (state.why ?? words.notUploaded)
        ) : (
          <bdi dir="ltr">{sizeOf(size)}</bdi>
        )}
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
