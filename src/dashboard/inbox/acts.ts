import { useMutation } from '@tanstack/react-query'
import { useFault, useT } from '../languages/index.js'
import { call } from '../server/client.js'
import { queryClient, useCompany, useMay, useMe, type Conversation } from '../server/queries.js'
import { tell } from '../ui/tell.js'
import { placeConversation } from './follow.js'

/**
 * What this person may do with this conversation as it stands; what is not possible is `null` and is not offered. Shown at
 * once, and put right by what the server says.
 */
export const useActs = (conversation: Conversation) => {
  const t = useT()
  const fault = useFault()
  const me = useMe().data
  const may = useMay('conversations:write')
  const company = useCompany()
  const params = { id: conversation.id }
  const { state, handler, assignee } = conversation

  const act = useMutation({
    mutationFn: ({ ask }: Act) => ask(),
    onMutate: ({ expected }) => {
      const before = queryClient.getQueryData<Conversation>(['conversation', conversation.id])
      if (before && expected) queryClient.setQueryData(['conversation', conversation.id], { ...before, ...expected })
      return before
    },
    onSuccess: (after, { done }) => {
      if (me) placeConversation(after, me.id)
      void queryClient.invalidateQueries({ queryKey: ['counts'] })
      if (done) tell(done)
    },
    onError: (error, _act, before) => {
      if (before) queryClient.setQueryData(['conversation', conversation.id], before)
      void queryClient.invalidateQueries({ queryKey: ['conversation', conversation.id] })
      tell(fault(error), 'fault')
    },
  })

  const closed = state === 'closed'
  const over = closed || state === 'resolved'
  const mine = handler === 'agent' && assignee?.id === me?.id
  const allow = (possible: boolean, run: () => void) => (may && possible ? run : null)
  const setState = (to: Conversation['state']) =>
    act.mutate({
      ask: () => call('conversations', 'setState', { params, body: { state: to } }),
      expected: { state: to },
    })

  return {
    busy: act.isPending,
    assign:
      allow(!closed, () => {}) &&
      ((person: { id: string; name: string } | null) =>
        act.mutate({
          ask: () => call('conversations', 'assign', { params, body: { assignee: person?.id ?? null } }),
          expected: person ? { assignee: person, handler: 'agent' } : { assignee: null },
        })),
    assignTeam:
      allow(!closed, () => {}) &&
      ((teamId: string | null) =>
        act.mutate({
          ask: () => call('conversations', 'assignTeam', { params, body: { team: teamId } }),
          expected: { teamId },
        })),
    takeOver: allow(!over && !mine && me !== undefined, () =>
      act.mutate({
        ask: () => call('conversations', 'assign', { params, body: { assignee: 'me' } }),
        ...(me ? { expected: { assignee: { id: me.id, name: me.name }, handler: 'agent' } } : {}),
      }),
    ),
    resolve: allow(!over, () => setState('resolved')),
    reopen: allow(state === 'resolved', () => setState('open')),
    setState: allow(!closed, () => {}) && setState,
    handBack: allow(!over && handler !== 'assistant' && company.data?.assistant.paused === false, () =>
      act.mutate({
        ask: () => call('conversations', 'resume', { params, body: {} }),
        expected: { handler: 'assistant', assignee: null },
        done: t('talk.handedBack'),
      }),
    ),
    toQueue: allow(!over && handler !== 'nobody', () =>
      act.mutate({
        ask: () => call('conversations', 'handoff', { params, body: { reason: t('talk.toQueueReason') } }),
        expected: { handler: 'nobody', assignee: null },
      }),
    ),
    setPriority:
      allow(!closed, () => {}) &&
      ((priority: Conversation['priority']) =>
        act.mutate({
          ask: () => call('conversations', 'setPriority', { params, body: { priority } }),
          expected: { priority },
        })),
    setTags:
      allow(!closed, () => {}) &&
      ((tags: string[]) =>
        act.mutate({ ask: () => call('conversations', 'setTags', { params, body: { tags } }), expected: { tags } })),
  }
}

type Act = { ask: () => Promise<Conversation>; expected?: Partial<Conversation>; done?: string }
export type Acts = ReturnType<typeof useActs>
