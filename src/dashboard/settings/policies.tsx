import { Button } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { useFault, useLanguage, useT } from '../languages/index.js'
import { call } from '../server/client.js'
import { queryClient, useMay } from '../server/queries.js'
import { Blank, Coming, Failed } from '../ui/states.js'
import { fullDate } from '../ui/time.js'
import { DraftBar, FaultAt, HoldsNow, useDraft } from './draft.js'
import { SettingsPage } from './page.js'
import { PolicyEditor } from './policies-editor.js'
import {
  CLOCKS,
  toPolicyBodies,
  toPolicyDraft,
  usualPolicy,
  type PolicyDraft,
  type SavedPolicies,
} from './policies-words.js'

const LOOK_AGAIN_MS = 5_000

export const PoliciesScreen = () => {
  const t = useT()
  const policies = useQuery({
    queryKey: ['policies'],
    queryFn: ({ signal }) => call('policies', 'get', { signal }),
    refetchInterval: LOOK_AGAIN_MS,
  })
  return (
    <SettingsPage title={t('policies.title')} text={t('policies.text')} needs="service_levels:read">
      {policies.isPending && <Coming lines={6} />}
      {policies.isError && !policies.data && <Failed error={policies.error} retry={() => void policies.refetch()} />}
      {policies.data && <PoliciesForm saved={policies.data} lookAgain={() => void policies.refetch()} />}
    </SettingsPage>
  )
}

const toDraft = ({ policies }: SavedPolicies): PolicyDraft[] => policies.map(toPolicyDraft)

const PoliciesForm = ({ saved, lookAgain }: { saved: SavedPolicies; lookAgain: () => void }) => {
  const t = useT()
  const mayWrite = useMay('service_levels:write')
  const added = useRef(0)
  const editing = useDraft({
    name: 'policies',
    saved,
    toDraft,
    lookAgain,
    save: async (drafts: PolicyDraft[], version) => {
      const policies = toPolicyBodies(drafts, t('policies.unreadable'))
      const after = await call('policies', 'save', { body: { policies, version } })
      queryClient.setQueryData(['policies'], after)
      await queryClient.invalidateQueries({ queryKey: ['policy-versions'] })
      return after
    },
  })
  const { draft, change, base } = editing
  const preview = useMutation({
    mutationFn: () =>
      call('policies', 'preview', { body: { policies: toPolicyBodies(draft, t('policies.unreadable')) } }),
  })
  const put = (next: PolicyDraft[]) => {
    preview.reset()
    change(next)
  }
  const add = () => {
    added.current += 1
    // Before one for everybody, behind which nothing would be reached.
    const policy = usualPolicy(
      draft.length === 0 ? t('policies.everybodyName') : t('policies.newName'),
      `new-${added.current}`,
    )
    put(draft.length === 0 ? [policy] : [policy, ...draft])
  }
  return (
    <FaultAt error={editing.fault ?? preview.error}>
      <HoldsNow {...base} />
      <fieldset className="bare stack" disabled={!mayWrite}>
        {draft.length === 0 && (
          <div className="card">
            <Blank title={t('policies.empty')}>{t('policies.emptyText')}</Blank>
          </div>
        )}
        <ol className="policies">
          {draft.map((policy, index) => (
            <PolicyEditor
              key={policy.key}
              index={index}
              count={draft.length}
              policy={policy}
              change={(next) => put(draft.map((one) => (one.key === policy.key ? next : one)))}
              move={(by) => put(moved(draft, index, by))}
              remove={() => put(draft.filter((one) => one.key !== policy.key))}
            />
          ))}
        </ol>
        {mayWrite && (
          <div className="row wrap">
            <Button variant="default" leftSection={<IconPlus size={16} aria-hidden />} onClick={add}>
              {t('policies.add')}
            </Button>
            <Button
              variant="default"
              loading={preview.isPending}
              disabled={draft.length === 0}
              onClick={() => preview.mutate()}
            >
              {t('policies.preview')}
            </Button>
          </div>
        )}
      </fieldset>
      <PreviewResult preview={preview} />
      <Versions restore={mayWrite ? (version) => put(toDraft(version)) : null} now={base.version} />
      {mayWrite && <DraftBar editing={editing} />}
    </FaultAt>
  )
}

const moved = (draft: readonly PolicyDraft[], index: number, by: 1 | -1): PolicyDraft[] => {
  const next = [...draft]
  const [one] = next.splice(index, 1)
  if (one) next.splice(index + by, 0, one)
  return next
}

type Preview = Awaited<ReturnType<typeof call<'policies', 'preview'>>>

const PreviewResult = ({ preview: { data, error } }: { preview: { data: Preview | undefined; error: unknown } }) => {
  const t = useT()
  const fault = useFault()
  const language = useLanguage()
  const share = ({ met, breached }: { met: number; breached: number }) => {
    if (met + breached === 0) return '–'
    const kept = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 }).format(
      met / (met + breached),
    )
    return t('policies.keptOf', { share: kept, met, all: met + breached })
  }
  return (
    <div role="status">
      {error ? <p className="small bad-text">{fault(error)}</p> : null}
      {data && (
        <section className="card promise-card" aria-label={t('policies.preview')}>
          <h2>{t('policies.last30', { number: data.conversations })}</h2>
          <div className="scroll-x">
            <table className="figures">
              <thead>
                <tr>
                  <th scope="col">{t('policies.promise')}</th>
                  <th scope="col">{t('policies.before')}</th>
                  <th scope="col">{t('policies.after')}</th>
                </tr>
              </thead>
              <tbody>
                {CLOCKS.map((clock) => (
                  <tr key={clock}>
                    <th scope="row">{t(`due.${clock}`)}</th>
                    <td>{share(data.clocks[clock].before)}</td>
                    <td>{share(data.clocks[clock].after)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {data.unpromised > 0 && <p className="small soft">{t('policies.unpromised', { number: data.unpromised })}</p>}
          {data.cut && <p className="small soft">{t('policies.cut')}</p>}
        </section>
      )}
    </div>
  )
}

type VersionsProps = { restore: ((version: SavedPolicies) => void) | null; now: number | null }

const Versions = ({ restore, now }: VersionsProps) => {
  const t = useT()
  const language = useLanguage()
  const [open, setOpen] = useState(false)
  const versions = useQuery({
    queryKey: ['policy-versions'],
    queryFn: async ({ signal }) => (await call('policies', 'versions', { signal })).versions,
    enabled: open,
  })
  if (now === null) return null
  return (
    <details className="versions" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('policies.versions')}</summary>
      {versions.isLoading && <Coming lines={3} />}
      {versions.isError && <Failed error={versions.error} retry={() => void versions.refetch()} />}
      <ul className="rows card">
        {versions.data?.map((version) => (
          <li key={version.version}>
            <div className="person">
              <span className="name">
                {t('draft.version', {
                  version: version.version ?? 0,
                  name: version.savedBy?.name ?? '',
                  at: version.savedAt ? fullDate(language, version.savedAt) : '',
                })}
              </span>
              <span className="small soft cut">
                <bdi>{version.policies.map(({ name }) => name).join(' · ') || t('policies.empty')}</bdi>
              </span>
            </div>
            {version.version === now ? (
              <span className="chip">{t('policies.holds')}</span>
            ) : (
              restore && (
                <Button
                  size="xs"
                  variant="default"
                  aria-label={t('policies.restoreOf', { version: version.version ?? 0 })}
                  onClick={() => restore(version)}
                >
                  {t('policies.restore')}
                </Button>
              )
            )}
          </li>
        ))}
      </ul>
    </details>
  )
}
