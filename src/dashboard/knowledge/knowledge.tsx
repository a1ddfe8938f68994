import { ActionIcon, Button, Loader, Textarea, TextInput } from '@mantine/core'
import { IconBook2, IconDownload, IconFileText, IconFileUpload, IconTrash, IconX } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useRef, useState, type DragEvent } from 'react'
import { useFault, useLanguage, useT } from '../languages/index.js'
import { call } from '../server/client.js'
import { useDeed } from '../server/deed.js'
import { queryClient, useMay, type Document } from '../server/queries.js'
import { Dialog, useConfirm } from '../ui/confirm.js'
import { Blank, Coming, Failed } from '../ui/states.js'
import { tell } from '../ui/tell.js'
import { TryQuestion } from './try-question.js'
import './knowledge.css'
import { ACCEPTED, MOST_BYTES, useUploads, type Upload } from './uploads.js'

/** What the assistant answers from: bring it in, see how far it is, ask it. */
export const KnowledgeScreen = () => {
  const t = useT()
  const mayWrite = useMay('knowledge:write')
  const [pasting, setPasting] = useState(false)
  return (
    <main className="page">
      <div>
        <header className="page-head">
          <div>
            <h1>{t('knowledge.title')}</h1>
            <p>{t('knowledge.text')}</p>
          </div>
          {mayWrite && (
            <Button variant="default" onClick={() => setPasting(true)}>
              {t('knowledge.paste')}
            </Button>
          )}
        </header>
        <div className="knowledge">
          <div className="stack">
            {mayWrite && <Drop />}
            <Documents />
          </div>
          <TryQuestion />
        </div>
        {mayWrite && <Paste opened={pasting} close={() => setPasting(false)} />}
      </div>
    </main>
  )
}

const megabytes = (language: string, bytes: number): string =>
  new Intl.NumberFormat(language, { style: 'unit', unit: 'megabyte', maximumFractionDigits: 0 }).format(
    bytes / 1024 / 1024,
  )

const Drop = () => {
  const t = useT()
  const language = useLanguage()
  const { uploads, add, dismiss } = useUploads()
  const [over, setOver] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  const onDrop = (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    add([...event.dataTransfer.files])
  }
  return (
    <section aria-label={t('knowledge.choose')}>
      <div
        className={over ? 'drop over' : 'drop'}
        onDragOver={(event) => {
          event.preventDefault()
          setOver(true)
        }}
        onDragLeave={() => setOver(false)}
        onDrop={onDrop}
      >
        <IconFileUpload aria-hidden />
        <div className="grow">
          <strong>{t('knowledge.drop')}</strong>
          <p className="small soft">{t('knowledge.dropHint', { limit: megabytes(language, MOST_BYTES) })}</p>
        </div>
        <Button variant="default" size="xs" onClick={() => input.current?.click()}>
          {t('knowledge.choose')}
        </Button>
        <input
          ref={input}
          type="file"
          hidden
          multiple
          accept={ACCEPTED}
          aria-label={t('knowledge.choose')}
          onChange={(event) => {
            add([...(event.currentTarget.files ?? [])])
            event.currentTarget.value = ''
          }}
        />
      </div>
      {uploads.length > 0 && (
        <ul className="rows card uploads">
          {uploads.map((upload) => (
            <UploadRow key={upload.id} upload={upload} dismiss={() => dismiss(upload.id)} />
          ))}
        </ul>
      )}
    </section>
  )
}

const UploadRow = ({ upload: { name, state }, dismiss }: { upload: Upload; dismiss: () => void }) => {
  const t = useT()
  const fault = useFault()
  const language = useLanguage()
  return (
    <li>
      <IconFileText aria-hidden className="row-icon" />
      <div className="grow">
        <p className="cut">
          <bdi>{name}</bdi>
        </p>
        {state.kind === 'sending' && (
          <progress max={100} value={state.percent} aria-label={t('knowledge.uploading', { percent: state.percent })} />
        )}
        {state.kind !== 'sending' && (
          <p className="small bad-text" role="alert">
            {t('knowledge.notAdded')}:{' '}
            {state.kind === 'too_large'
              ? t('knowledge.tooLarge', { limit: megabytes(language, MOST_BYTES) })
              : fault(state.error)}
          </p>
        )}
      </div>
      {state.kind !== 'sending' && (
        <ActionIcon variant="subtle" color="gray" aria-label={t('knowledge.dismiss')} onClick={dismiss}>
          <IconX size={16} aria-hidden />
        </ActionIcon>
      )}
    </li>
  )
}

/** While something is being read it is asked for, in case a frame is lost. */
const ASK_AGAIN_MS = 2_000

const Documents = () => {
  const t = useT()
  const mayWrite = useMay('knowledge:write')
  const [dialog, confirm] = useConfirm()
  const list = useInfiniteQuery({
    queryKey: ['documents'],
    queryFn: ({ pageParam, signal }) =>
      call('knowledge', 'listDocuments', { query: pageParam ? { cursor: pageParam } : {}, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ documents }) => documents.some(isUnderWay)) ? ASK_AGAIN_MS : false,
  })
  if (list.isPending) return <Coming lines={5} />
  if (list.isError) return <Failed error={list.error} retry={() => void list.refetch()} />
  const documents = list.data.pages.flatMap((page) => page.documents)
  if (documents.length === 0)
    return (
      <div className="card">
        <Blank icon={<IconBook2 aria-hidden />} title={t('knowledge.empty')}>
          {t('knowledge.emptyText')}
        </Blank>
      </div>
    )
  const remove = ({ id, title }: Document) =>
    confirm({
      title: t('knowledge.removeTitle', { title }),
      text: t('knowledge.removeText'),
      yes: t('common.remove'),
      run: () => removeDocument(id),
    })
  return (
    <section>
      <h2 className="hidden">{t('knowledge.documents')}</h2>
      <ul className="rows card">
        {documents.map((document) => (
          <DocumentRow key={document.id} document={document} remove={mayWrite ? () => remove(document) : null} />
        ))}
      </ul>
      {list.hasNextPage && (
        <Button variant="subtle" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          {t('knowledge.more')}
        </Button>
      )}
      {dialog}
    </section>
  )
}

const isUnderWay = ({ status }: Document) => status === 'queued' || status === 'indexing'

const removeDocument = async (id: string): Promise<void> => {
  await call('knowledge', 'removeDocument', { params: { id } }).catch((error: unknown) =>
    tell(error instanceof Error ? error.message : String(error), 'fault'),
  )
  await queryClient.invalidateQueries({ queryKey: ['documents'] })
}

const DocumentRow = ({ document, remove }: { document: Document; remove: (() => void) | null }) => {
  const t = useT()
  const { id, title, status, progress, reason, note, passages, pages, source, file, language } = document
  const facts = [
    ...(status === 'ready' ? [t('knowledge.passages', { count: passages })] : []),
    ...(pages ? [t('knowledge.pages', { count: pages })] : []),
    ...(language ? [language.toUpperCase()] : []),
    ...(source === 'folder' ? [t('knowledge.fromFolder')] : []),
  ]
  return (
    <li>
      <IconFileText aria-hidden className="row-icon" />
      <div className="grow">
        <p className="cut document-title">
          <bdi>{title}</bdi>
        </p>
        <p className="small soft">
          {isUnderWay(document) ? (
            <span className="row">
              <Loader size={12} aria-hidden />
              {t(`knowledge.${status === 'queued' ? 'queued' : 'indexing'}`)}
              {status === 'indexing' && <progress max={1} value={progress} aria-label={t('knowledge.indexing')} />}
            </span>
          ) : status === 'failed' ? (
            <span className="bad-text">
              {t('knowledge.failed')}
              {reason ? `: ${reason}` : ''}
            </span>
          ) : (
            facts.join(' · ')
          )}
        </p>
        {note && status === 'ready' && <p className="small soft">{note}</p>}
      </div>
      {file && (
        <ActionIcon
          component="a"
          href={`/api/v1/knowledge/documents/${encodeURIComponent(id)}/original`}
          download
          variant="subtle"
          color="gray"
          aria-label={`${t('knowledge.original')}: ${title}`}
        >
          <IconDownload size={17} aria-hidden />
        </ActionIcon>
      )}
      {remove && (
        <ActionIcon variant="subtle" color="gray" aria-label={t('knowledge.remove', { title })} onClick={remove}>
          <IconTrash size={17} aria-hidden />
        </ActionIcon>
      )}
    </li>
  )
}

const Paste = ({ opened, close }: { opened: boolean; close: () => void }) => {
  const t = useT()
  const fault = useFault()
  const [title, setTitle] = useState('')
  const [text, setText] = useState('')
  const add = useDeed({
    mutationFn: () => call('knowledge', 'addDocument', { body: { title: title.trim(), text } }),
    onSuccess: async () => {
      setTitle('')
      setText('')
      close()
      await queryClient.invalidateQueries({ queryKey: ['documents'] })
    },
  })
  return (
    <Dialog title={t('knowledge.paste')} opened={opened} close={close} size="lg">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          add.mutate()
        }}
      >
        <TextInput
          label={t('knowledge.pasteTitle')}
          required
          withAsterisk={false}
          maxLength={200}
          data-autofocus
          value={title}
          onChange={(event) => setTitle(event.currentTarget.value)}
        />
        <Textarea
          label={t('knowledge.pasteText')}
          required
          withAsterisk={false}
          rows={12}
          maxLength={2_000_000}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        {add.isError && (
          <p role="alert" className="bad-text small">
            {fault(add.error)}
          </p>
        )}
        <Button type="submit" loading={add.isPending} disabled={!title.trim() || !text.trim()}>
          {t('knowledge.pasteAdd')}
        </Button>
      </form>
    </Dialog>
  )
}
