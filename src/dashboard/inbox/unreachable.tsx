import { Button, NativeSelect, TextInput } from '@mantine/core'
import { IconClockPause } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useFault, useT } from '../languages/index.js'
import { call } from '../server/client.js'
import { useDeed } from '../server/deed.js'
import type { Conversation } from '../server/queries.js'
import { placeMessage } from './follow.js'

const WHY: Partial<Record<string, 'composer.windowClosed' | 'composer.optedOut'>> = {
  window_closed: 'composer.windowClosed',
  opted_out: 'composer.optedOut',
}

/** Free text may not be sent now: says so, and offers the texts that the channel's provider has approved. */
export const Unreachable = ({ conversation }: { conversation: Conversation }) => {
  const t = useT()
  const fault = useFault()
  const [chosen, setChosen] = useState('')
  const [values, setValues] = useState<readonly string[]>([])
  const { id, channelId, reach } = conversation
  const list = useQuery({
    queryKey: ['templates', channelId],
    queryFn: ({ signal }) => call('channels', 'templates', { params: { id: channelId }, signal }),
  })
  const templates = list.data?.templates ?? []
  const template = templates.find(({ name, language }) => `${name} ${language}` === chosen)
  const parameters = Array.from({ length: template?.parameters ?? 0 }, (_, at) => values[at] ?? '')
  const send = useDeed({
    mutationFn: ({ name, language }: { name: string; language: string }) =>
      call('conversations', 'speak', { params: { id }, body: { text: '', template: { name, language, parameters } } }),
    onSuccess: (message) => {
      placeMessage(id, message)
      setChosen('')
      setValues([])
    },
  })
  const why = reach?.kind === 'closed' ? WHY[reach.code] : undefined
  const isUnwanted = reach?.kind === 'closed' && reach.code === 'opted_out'
  return (
    <div className="unreachable">
      <p role="status">
        <IconClockPause aria-hidden />
        <span>{why ? t(why) : reach?.kind === 'closed' ? reach.message : ''}</span>
      </p>
      {templates.length > 0 && !isUnwanted && (
        <div className="row">
          <NativeSelect
            size="xs"
            className="grow"
            aria-label={t('composer.template')}
            value={chosen}
            data={[
              { value: '', label: t('composer.chooseTemplate') },
              ...templates.map(({ name, language }) => ({
                value: `${name} ${language}`,
                label: `${name.replaceAll('_', ' ')} (${language})`,
              })),
            ]}
            onChange={(event) => {
              setChosen(event.currentTarget.value)
              setValues([])
            }}
          />
          <Button
            size="xs"
            loading={send.isPending}
            disabled={!template || parameters.some((value) => value.trim() === '')}
            onClick={() => template && send.mutate(template)}
          >
            {t('common.send')}
          </Button>
        </div>
      )}
      {list.isSuccess && templates.length === 0 && !isUnwanted && (
        <p className="small soft">{t('composer.noTemplates')}</p>
      )}
      {template && (
        <blockquote dir="auto">
          {template.text.replace(/\{\{(\d+)\}\}/gu, (mark, number: string) => parameters[Number(number) - 1] || mark)}
        </blockquote>
      )}
      {parameters.map((value, at) => (
        <TextInput
          key={at}
          size="xs"
          label={t('composer.parameter', { number: at + 1 })}
          maxLength={1024}
          value={value}
          onChange={(event) => setValues(parameters.with(at, event.currentTarget.value))}
        />
      ))}
      {send.isError && (
        <p role="alert" className="small bad-text">
          {fault(send.error)}
        </p>
      )}
    </div>
  )
}
