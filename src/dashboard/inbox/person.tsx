import { Button, TextInput } from '@mantine/core'
import { IconBan, IconUsers } from '@tabler/icons-react'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useFault, useT } from '../languages/index.js'
import { call, type Answer } from '../server/client.js'
import { queryClient, useMay, type Conversation } from '../server/queries.js'
import { tell } from '../ui/tell.js'
import { nameOf } from './news.js'
import './person.css'

type Known = Answer<'contacts', 'get'>

const SEARCHES_FROM = 3

/** Whoever wrote, under all their names: what else they wrote, who else they are, and whether they may bother anybody. */
export const ThePerson = ({ conversation }: { conversation: Conversation }) => {
  const t = useT()
  const fault = useFault()
  const mayWrite = useMay('conversations:write')
  const { id, contactId } = conversation
  const params = { id: contactId }
  const known = useQuery({
    queryKey: ['contact', contactId, conversation.version],
    queryFn: ({ signal }) => call('contacts', 'get', { params, signal }),
    placeholderData: (before) => before,
  })
  const change = useMutation({
    mutationFn: (ask: () => Promise<Known>) => ask(),
    onSuccess: (after) => queryClient.setQueryData(['contact', contactId, conversation.version], after),
    onError: (error) => tell(fault(error), 'fault'),
    onSettled: () => void queryClient.invalidateQueries({ queryKey: ['contact'] }),
  })
  if (!known.data) return null
  const { contact, others, conversations } = known.data
  const elsewhere = conversations.filter((one) => one.id !== id)
  return (
    <section className="person">
      <h3>{t('person.title')}</h3>
      {others.length > 0 && (
        <ul className="person-names">
          {others.map((other) => (
            <li key={other.id}>
              <bdi className="cut grow">{labelOf(other) ?? t('inbox.visitor')}</bdi>
              {mayWrite && (
                <Button
                  size="compact-xs"
                  variant="subtle"
                  color="gray"
                  disabled={change.isPending}
                  onClick={() => change.mutate(() => call('contacts', 'separate', { params: { id: other.id } }))}
                >
                  {t('person.separate')}
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {elsewhere.length === 0 && <p className="small soft">{t('person.nothingElse')}</p>}
      <ul className="person-talks">
        {elsewhere.slice(0, 5).map((one) => (
          <li key={one.id}>
            <Link to="/inbox/$id" params={{ id: one.id }}>
              <bdi className="cut">{one.excerpt || t('inbox.visitor')}</bdi>
              <span className="small soft">{t(`state.${one.state}`)}</span>
            </Link>
          </li>
        ))}
      </ul>
      {mayWrite && (
        <>
          <Merge
            except={[contactId, ...others.map((other) => other.id)]}
            merge={(withId) => change.mutate(() => call('contacts', 'merge', { params, body: { with: withId } }))}
          />
          <Button
            size="xs"
            variant="default"
            leftSection={<IconBan size={14} aria-hidden />}
            disabled={change.isPending}
            onClick={() =>
              change.mutate(() => call('contacts', 'block', { params, body: { blocked: !contact.blocked } }))
            }
          >
            {t(contact.blocked ? 'person.unblock' : 'person.block')}
          </Button>
          {contact.optedOut && <p className="small soft">{t('person.optedOut')}</p>}
          {contact.blocked && <p className="small soft">{t('person.blocked')}</p>}
        </>
      )}
    </section>
  )
}

const labelOf = ({ name, email, phone, reference }: Known['contact']): string | undefined =>
  name ?? email ?? phone ?? reference

/** Finds whom the inbox knows by a name or an address. */
const Merge = ({ except, merge }: { except: string[]; merge: (contactId: string) => void }) => {
  const t = useT()
  const [typed, setTyped] = useState('')
  const q = typed.trim()
  const found = useQuery({
    queryKey: ['contacts-like', q],
    queryFn: ({ signal }) => call('conversations', 'list', { query: { q, limit: 20 }, signal }),
    enabled: q.length >= SEARCHES_FROM,
  })
  const seen = new Set(except)
  const people = (found.data?.conversations ?? []).filter(({ contactId, contact }) => {
    if (seen.has(contactId) || !(contact.name ?? contact.email ?? contact.phone)) return false
    seen.add(contactId)
    return true
  })
  return (
    <div className="stack">
      <TextInput
        size="sm"
        label={t('person.merge')}
        description={t('person.mergeHint')}
        leftSection={<IconUsers size={14} aria-hidden />}
        value={typed}
        maxLength={100}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      {q.length >= SEARCHES_FROM && found.isSuccess && people.length === 0 && (
        <p className="small soft">{t('person.nobody')}</p>
      )}
      {people.slice(0, 5).map((one) => (
        <Button
          key={one.contactId}
          size="xs"
          variant="light"
          onClick={() => {
            merge(one.contactId)
            setTyped('')
          }}
        >
          <bdi className="cut">
            {nameOf(one, t('inbox.visitor'))}
            {one.contact.email ? ` · ${one.contact.email}` : ''}
          </bdi>
        </Button>
      ))}
    </div>
  )
}
