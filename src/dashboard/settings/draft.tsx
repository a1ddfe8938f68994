import { Button } from '@mantine/core'
import { useBlocker } from '@tanstack/react-router'
import { createContext, useContext, useEffect, useRef, useState, type ReactNode } from 'react'
import { useFault, useLanguage, useT } from '../languages/index.js'
import { Refused } from '../server/client.js'
import { Dialog } from '../ui/confirm.js'
import { useCommands } from '../ui/commands.js'
import { tell } from '../ui/tell.js'
import { fullDate } from '../ui/time.js'
import './promises.css'

/**
 * Settings that are kept in versions, while somebody changes them: what is not saved outlives leaving the page by force
 * (a session that ended), is not left by chance, and does not overwrite what a colleague saved meanwhile.
 */
type Versioned = { version: number | null; savedAt: string | null; savedBy: { name: string } | null }
type Kept<Saved, Draft> = { base: Saved; draft: Draft }

const kept = new Map<string, Kept<unknown, unknown>>()

type Needs<Saved, Draft> = {
  name: string
  /** As the server has it now. */
  saved: Saved
  toDraft: (saved: Saved) => Draft
  /** Throws what is wrong with the draft, or what the server refuses. */
  save: (draft: Draft, version: number | null) => Promise<Saved>
  lookAgain: () => void
}

export const useDraft = <Saved extends Versioned, Draft>({
  name,
  saved,
  toDraft,
  save,
  lookAgain,
}: Needs<Saved, Draft>) => {
  const t = useT()
  const [{ base, draft }, setState] = useState(
    () => (kept.get(name) as Kept<Saved, Draft> | undefined) ?? { base: saved, draft: toDraft(saved) },
  )
  const typed = useRef(draft)
  typed.current = draft
  const [fault, setFault] = useState<unknown>(null)
  const [saving, setSaving] = useState(false)
  const dirty = JSON.stringify(draft) !== JSON.stringify(toDraft(base))
  const newer = saved.version !== base.version

  const begin = (from: Saved) => {
    kept.delete(name)
    setFault(null)
    setState({ base: from, draft: toDraft(from) })
  }
  const goOn = (from: Saved, next: Draft) => {
    kept.set(name, { base: from, draft: next })
    setFault(null)
    setState({ base: from, draft: next })
  }
  useEffect(() => {
    if (newer && !dirty && !saving) begin(saved)
  }, [newer, dirty, saving])

  const submit = async () => {
    if (saving || !dirty) return
    setSaving(true)
    try {
      const after = await save(draft, base.version)
      // What is typed while it is saved is a draft of what was saved.
      if (typed.current === draft) begin(after)
      else goOn(after, typed.current)
      tell(t('common.saved'))
    } catch (error) {
      setFault(error)
      if (error instanceof Refused && error.code === 'changed_meanwhile') lookAgain()
      requestAnimationFrame(() => document.querySelector<HTMLElement>('main [aria-invalid=true]')?.focus())
    } finally {
      setSaving(false)
    }
  }
  return {
    base,
    draft,
    change: (next: Draft) => goOn(base, next),
    dirty,
    fault,
    saving,
    submit,
    discard: () => begin(saved),
    meanwhile: newer && dirty ? saved : null,
    keepMine: () => goOn(saved, draft),
  }
}

type Editing = Omit<ReturnType<typeof useDraft<Versioned, unknown>>, 'change' | 'draft' | 'base'>

/** What to do with the draft, at the foot of the page as long as there is one, and the question before it is left. */
export const DraftBar = ({ editing }: { editing: Editing }) => {
  const t = useT()
  const faultText = useFault()
  const language = useLanguage()
  const { dirty, fault, saving, submit, discard, meanwhile, keepMine } = editing
  const form = useRef(submit)
  form.current = submit
  useCommands([
    dirty && { id: 'save', title: t('common.save'), group: 'actions', key: 'mod+s', run: () => void submit() },
  ])
  const leaving = useBlocker({
    shouldBlockFn: ({ current, next }) => dirty && current.pathname !== next.pathname,
    enableBeforeUnload: () => dirty,
    withResolver: true,
  })
  return (
    <>
      <div className="draft-bar" data-shown={dirty}>
        <div role="status">
          {meanwhile && (
            <p className="banner">
              <span className="grow">
                {t('draft.meanwhile', {
                  name: meanwhile.savedBy?.name ?? '',
                  at: meanwhile.savedAt ? fullDate(language, meanwhile.savedAt) : '',
                })}
              </span>
              <Button size="xs" variant="default" onClick={discard}>
                {t('draft.takeTheirs')}
              </Button>
              <Button size="xs" variant="default" onClick={keepMine}>
                {t('draft.keepMine')}
              </Button>
            </p>
          )}
        </div>
        {dirty && (
          <div className="row wrap">
            <p className="grow small" role="alert">
              {fault ? <span className="bad-text">{faultText(fault)}</span> : null}
            </p>
            {!fault && <span className="soft small">{t('draft.unsaved')}</span>}
            <Button variant="default" disabled={saving} onClick={discard}>
              {t('draft.discard')}
            </Button>
            <Button loading={saving} disabled={meanwhile !== null} onClick={() => void submit()}>
              {t('common.save')}
            </Button>
          </div>
        )}
      </div>
      <Dialog
        title={t('draft.leaveTitle')}
        opened={leaving.status === 'blocked'}
        close={() => leaving.reset?.()}
        size="sm"
      >
        <p className="soft">{t('draft.leaveText')}</p>
        <div className="row dialog-actions">
          <Button variant="default" data-autofocus onClick={() => leaving.reset?.()}>
            {t('draft.stay')}
          </Button>
          <Button
            color="red"
            onClick={() => {
              discard()
              leaving.proceed?.()
            }}
          >
            {t('draft.leave')}
          </Button>
        </div>
      </Dialog>
    </>
  )
}

/** "Version 3 · Ada, 2 March": what holds now. */
export const HoldsNow = ({ version, savedAt, savedBy }: Versioned) => {
  const t = useT()
  const language = useLanguage()
  if (version === null || !savedAt) return <p className="small soft">{t('draft.never')}</p>
  return (
    <p className="small soft">
      {t('draft.version', { version, name: savedBy?.name ?? '', at: fullDate(language, savedAt) })}
    </p>
  )
}

// ── What is wrong, at the field where it is wrong ─────────────────────────────────────────────────────────────────────

const Faults = createContext<{ field: string; text: string } | null>(null)

export const FaultAt = ({ error, children }: { error: unknown; children: ReactNode }) => {
  const text = useFault()
  const field = error instanceof Refused ? error.field : undefined
  return <Faults value={field === undefined ? null : { field, text: text(error) }}>{children}</Faults>
}

/** The fault of this field; with `within`, of anything in it. */
export const useFaultAt = (): ((path: string, within?: 'within') => string | undefined) => {
  const fault = useContext(Faults)
  return (path, within) =>
    fault && (fault.field === path || (within && fault.field.startsWith(`${path}.`))) ? fault.text : undefined
}
