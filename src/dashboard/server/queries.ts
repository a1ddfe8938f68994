import { MutationCache, QueryCache, QueryClient, useQuery } from '@tanstack/react-query'
import { call, Refused, Unreachable, type Answer } from './client.js'

export type Me = Answer<'companies', 'me'>
export type Permission = Me['permissions'][number]
export type Role = Me['role']
export type Conversation = Answer<'conversations', 'get'>
export type Message = Answer<'conversations', 'messages'>['messages'][number]
export type Person = Answer<'people', 'list'>['people'][number]
export type Team = Answer<'teams', 'list'>['teams'][number]
export type Counts = Answer<'conversations', 'counts'>
export type Document = Answer<'knowledge', 'listDocuments'>['documents'][number]

/** The session may end, or a right be taken away, at any moment: whichever call hears of it first tells the whole page. */
export const heard = (error: unknown): void => {
  if (!(error instanceof Refused)) return
  if (error.code === 'unauthenticated') queryClient.setQueryData<Me | null>(['me'], null)
  if (error.code === 'forbidden') void queryClient.invalidateQueries({ queryKey: ['me'] })
}

export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: heard }),
  mutationCache: new MutationCache({ onError: heard }),
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      retry: (failed, error) => error instanceof Unreachable && failed < 3,
      retryDelay: (failed) => Math.min(500 * 2 ** failed, 8_000),
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
})

/** Who is signed in and what they may do; `null` when nobody is. */
export const useMe = () =>
  useQuery({
    queryKey: ['me'],
    queryFn: async ({ signal }): Promise<Me | null> => {
      try {
        return await call('companies', 'me', { signal })
      } catch (error) {
        if (error instanceof Refused && error.status === 401) return null
        throw error
      }
    },
    staleTime: 5 * 60_000,
  })

export const useMay = (permission: Permission): boolean => useMe().data?.permissions.includes(permission) ?? false

export const useCompany = () =>
  useQuery({ queryKey: ['company'], queryFn: ({ signal }) => call('companies', 'getCompany', { signal }) })

export const usePeople = () =>
  useQuery({ queryKey: ['people'], queryFn: async ({ signal }) => (await call('people', 'list', { signal })).people })

export const useTeams = () => {
  const mayRead = useMay('people:read')
  return useQuery({
    queryKey: ['teams'],
    queryFn: async ({ signal }) => (await call('teams', 'list', { signal })).teams,
    enabled: mayRead,
  })
}

export const useChannels = () => {
  const mayRead = useMay('channels:read')
  return useQuery({
    queryKey: ['channels', 'list'],
    queryFn: async ({ signal }) => (await call('channels', 'list', { signal })).channels,
    enabled: mayRead,
  })
}

/** How much there is to do. */
export const useCounts = () => {
  const mayRead = useMay('conversations:read')
  return useQuery({
    queryKey: ['counts'],
    queryFn: ({ signal }) => call('conversations', 'counts', { signal }),
    enabled: mayRead,
  })
}
