import type { Pairing, Template, TestStep } from '../../channels/channel.js'
import { may } from '../../companies/roles.js'
import { contract } from '../contract.js'
import type { ChannelDto } from '../contract/channels.js'
import { endpoint, type Endpoint } from '../endpoint.js'

type Settings = Record<string, unknown>

/** A channel as the company sees it: without its settings, which may hold secrets. */
type ListedChannel = Omit<ChannelDto, 'at' | 'lastArrival'> & { at?: Date; lastArrival?: { at: Date; lagMs: number } }

export type ChannelsNeeds = {
  channels: {
    list(companyId: string): Promise<ListedChannel[]>
    create(
      companyId: string,
      channel: { kind: string; name?: string | undefined; settings: Record<string, unknown> },
    ): Promise<{ id: string }>
    update(
      companyId: string,
      id: string,
      change: { name?: string | undefined; settings?: Record<string, unknown> | undefined },
    ): Promise<ListedChannel>
    remove(companyId: string, id: string): Promise<void>
    test(companyId: string, id: string, to: string): Promise<TestStep[]>
    templates(companyId: string, id: string): Promise<Template[]>
    get(
      companyId: string,
      id: string,
    ): Promise<
      ListedChannel & { settings: Settings; secretsSet: string[]; pairing?: Pairing & { secondsLeft: number } }
    >
    kinds(): {
      kind: string
      label: string
      icon: string
      settings: Settings
      secrets: string[]
      cautions: { code: string; text: string }[]
    }[]
  }
}

const { channels: routes } = contract

export const makeChannelsRouter = ({ channels }: ChannelsNeeds): Endpoint[] => [
  endpoint(routes.list, async ({ caller }) => ({ channels: (await channels.list(caller.companyId)).map(toChannel) })),
  endpoint(routes.kinds, () => ({ kinds: channels.kinds() })),
  endpoint(routes.add, async ({ caller, body }) => {
    const { id } = await channels.create(caller.companyId, body)
    return { id }
  }),
  endpoint(routes.get, async ({ caller, params }) => {
    const { settings, secretsSet, pairing, ...channel } = await channels.get(caller.companyId, params.id)
    const shown = pairing && may(caller, 'channels:write')
    return {
      ...toChannel(channel),
      settings,
      secretsSet,
      ...(shown ? { pairing: { ...pairing, expiresAt: pairing.expiresAt.toISOString() } } : {}),
    }
  }),
  endpoint(routes.update, async ({ caller, params, body }) =>
    toChannel(await channels.update(caller.companyId, params.id, body)),
  ),
  endpoint(routes.test, async ({ caller, params, body }) => ({
    steps: await channels.test(caller.companyId, params.id, body.to),
  })),
  endpoint(routes.templates, async ({ caller, params }) => ({
    templates: await channels.templates(caller.companyId, params.id),
  })),
  endpoint(routes.remove, ({ caller, params }) => channels.remove(caller.companyId, params.id)),
]

const toChannel = ({ at, lastArrival: last, ...channel }: ListedChannel): ChannelDto => ({
  ...channel,
  ...(last ? { lastArrival: { at: last.at.toISOString(), lagMs: last.lagMs } } : {}),
  ...(at ? { at: at.toISOString() } : {}),
})
