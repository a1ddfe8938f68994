import { Loader } from '@mantine/core'
import { IconDownload, IconFile, IconRotate, IconX } from '@tabler/icons-react'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { useFault, useLanguage, useT, wordsFor } from '../languages/index.js'
import { attachmentAddress, fetchAttachment, saveAs } from '../server/files.js'
import type { Message } from '../server/queries.js'
import { tell } from '../ui/tell.js'
import { attachAgain, detach, MOST_BYTES, MOST_FILES, type Pending, usePending } from './attachments.js'

export type Attachment = NonNullable<Message['attachments']>[number]

const WholePicture = lazy(() => import('./picture.js').then((module) => ({ default: module.WholePicture })))

/** Files of a message: pictures to be seen, sound and film to be played, everything to be saved. */
export const Files = ({ files }: { files: readonly Attachment[] }) => (
  <ul className="files">
    {files.map((file, at) => (
      <li key={at}>
        <Shown file={file} />
        <Told file={file} />
      </li>
    ))}
  </ul>
)

/** The type is what the server found the bytes to be: what only says that it is sound is saved. */
const Shown = ({ file }: { file: Attachment }) => {
  const kind = file.type.split('/')[0]
  if (kind === 'image') return <Picture file={file} />
  if (kind === 'audio' || kind === 'video') return <Played file={file} as={kind} />
  return <Saved file={file} />
}

/** By the browser's own player, which keys and screen readers know. Nothing is fetched before somebody wants to hear it. */
const Played = ({ file, as: Player }: { file: Attachment; as: 'audio' | 'video' }) => {
  const t = useT()
  const [broken, setBroken] = useState(false)
  return (
    <div className="played">
      {!broken && (
        <Player
          controls
          preload="none"
          src={attachmentAddress(file.id)}
          aria-label={t('files.play', { name: file.name })}
          onError={() => setBroken(true)}
        />
      )}
      {broken && <p className="small soft">{t('files.unplayable')}</p>}
      <Saved file={file} />
    </div>
  )
}

/** What a machine heard or saw: labelled, because nobody said it like that. */
const Told = ({ file: { text, unread } }: { file: Attachment }) => {
  const t = useT()
  if (text)
    return (
      <figure className="told">
        <figcaption className="small soft">{t(`files.${text.kind}`)}</figcaption>
        <blockquote dir="auto">{text.text}</blockquote>
      </figure>
    )
  if (!unread) return null
  return <p className="small soft">{wordsFor(t, `unread.${unread}`, unread)}</p>
}

export const useSave = ({ id, name }: Attachment): { save: () => void; busy: boolean } => {
  const fault = useFault()
  const [busy, setBusy] = useState(false)
  const save = async () => {
    setBusy(true)
    try {
      saveAs(await fetchAttachment(id), name)
    } catch (error) {
      tell(fault(error), 'fault')
    } finally {
      setBusy(false)
    }
  }
  return { save: () => void save(), busy }
}

const Saved = ({ file }: { file: Attachment }) => {
  const t = useT()
  const language = useLanguage()
  const { save, busy } = useSave(file)
  return (
    <button type="button" className="file" aria-label={t('files.save', { name: file.name })} onClick={save}>
      <IconFile aria-hidden />
      <bdi className="cut">{file.name}</bdi>
      <span className="small soft" dir="ltr">
        {sizeOf(language, file.size)}
      </span>
      {busy ? <Loader size={14} aria-hidden /> : <IconDownload aria-hidden />}
    </button>
  )
}

const SMALL_PX = 480

const Picture = ({ file }: { file: Attachment }) => {
  const t = useT()
  const [broken, setBroken] = useState(false)
  const [opened, setOpened] = useState(false)
  if (broken) return <Saved file={file} />
  return (
    <>
      <button
        type="button"
        className="picture"
        aria-label={t('files.open', { name: file.name })}
        onClick={() => setOpened(true)}
      >
        <Drawn file={file} most={SMALL_PX} broken={() => setBroken(true)} />
      </button>
      {opened && (
        <Suspense>
          <WholePicture file={file} close={() => setOpened(false)} />
        </Suspense>
      )}
    </>
  )
}

/**
 * Drawn on a canvas, not loaded by an `img`: an address cannot say which company is meant, and the page's policy shows no
 * picture that is not a file of ours. Fetched when it comes near.
 */
export const Drawn = ({ file: { id, name }, most, broken }: { file: Attachment; most: number; broken: () => void }) => {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [drawn, setDrawn] = useState(false)
  useEffect(() => {
    const target = canvas.current
    if (!target) return
    const gone = new AbortController()
    const draw = async () => {
      const whole = await createImageBitmap(await fetchAttachment(id, gone.signal))
      target.width = Math.min(most, whole.width)
      target.height = Math.max(1, Math.round((whole.height * target.width) / whole.width))
      target.getContext('2d')?.drawImage(whole, 0, 0, target.width, target.height)
      whole.close()
      setDrawn(true)
    }
    const near = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return
        near.disconnect()
        draw().catch(() => !gone.signal.aborted && broken())
      },
      { rootMargin: '600px' },
    )
    near.observe(target)
    return () => {
      near.disconnect()
      gone.abort()
    }
  }, [id, most])
  return <canvas ref={canvas} role="img" aria-label={name} width={160} height={110} data-drawn={drawn} />
}

/** What will go with the message, and what was not taken, with the reason. */
export const PendingFiles = ({ conversationId }: { conversationId: string }) => {
  const t = useT()
  const limits = useLimits()
  const { all, problem } = usePending(conversationId)
  return (
    <>
      {all.length > 0 && (
        <ul className="files pending">
          {all.map((one) => (
            <li key={one.key}>
              <Waiting conversationId={conversationId} one={one} />
            </li>
          ))}
        </ul>
      )}
      {problem && (
        <p className="small bad-text files-problem" role="alert">
          {t(`files.${problem.kind}`, { name: problem.name })} {limits}
        </p>
      )}
    </>
  )
}

const Waiting = ({ conversationId, one }: { conversationId: string; one: Pending }) => {
  const t = useT()
  const fault = useFault()
  const language = useLanguage()
  const { key, name, size, state } = one
  return (
    <div className={state.kind === 'failed' ? 'file failed' : 'file'} aria-busy={state.kind === 'sending'}>
      <IconFile aria-hidden />
      <bdi className="cut">{name}</bdi>
      {state.kind === 'failed' ? (
        <span className="small bad-text" role="alert">
          {fault(state.error)}
        </span>
      ) : (
        <span className="small soft" dir="ltr">
          {state.kind === 'sending' ? percentOf(language, state.percent) : sizeOf(language, size)}
        </span>
      )}
      {state.kind === 'failed' && (
        <button type="button" aria-label={t('files.again', { name })} onClick={() => attachAgain(conversationId, key)}>
          <IconRotate aria-hidden />
        </button>
      )}
      <button type="button" aria-label={t('files.remove', { name })} onClick={() => detach(conversationId, key)}>
        <IconX aria-hidden />
      </button>
    </div>
  )
}

export const useLimits = (): string => {
  const t = useT()
  return t('files.limits', { most: MOST_FILES, size: sizeOf(useLanguage(), MOST_BYTES) })
}

const sizeOf = (language: string, bytes: number): string => {
  const [value, unit] = bytes < 1024 * 1024 ? [bytes / 1024, 'kilobyte'] : [bytes / 1024 / 1024, 'megabyte']
  return new Intl.NumberFormat(language, { style: 'unit', unit, maximumFractionDigits: value < 10 ? 1 : 0 }).format(
    Math.max(0.1, value),
  )
}

const percentOf = (language: string, percent: number): string =>
  new Intl.NumberFormat(language, { style: 'percent' }).format(percent / 100)
