import { ActionIcon, Button, Menu, Tooltip } from '@mantine/core'
import {
  IconArrowLeft,
  IconCheck,
  IconClockPause,
  IconDots,
  IconHandStop,
  IconLayoutSidebarRight,
  IconRotate,
  IconSparkles,
  IconUsers,
} from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { useT } from '../languages/index.js'
import type { Conversation } from '../server/queries.js'
import type { Acts } from './acts.js'
import { WhoHasIt } from './inbox.js'
import { nameOf } from './news.js'

type Props = { conversation: Conversation; acts: Acts; aside: boolean; toggleAside: () => void }

/** Who it is, in whose hands, and what is done most: take it, resolve it. The rest is behind the dots. */
export const ConversationHead = ({ conversation, acts, aside, toggleAside }: Props) => {
  const t = useT()
  return (
    <header className="talk-head">
      <Link to="/inbox" search={(before) => before} className="talk-back" aria-label={t('talk.back')}>
        <IconArrowLeft aria-hidden />
      </Link>
      <div className="grow talk-who">
        <h2 className="cut">
          <bdi>{nameOf(conversation, t('inbox.visitor'))}</bdi>
        </h2>
        <span className="row">
          <WhoHasIt conversation={conversation} />
        </span>
      </div>
      {acts.takeOver && (
        <Button
          variant="default"
          size="xs"
          leftSection={<IconHandStop size={16} aria-hidden />}
          onClick={acts.takeOver}
        >
          {conversation.handler === 'assistant' ? t('talk.takeOver') : t('talk.assignToMe')}
        </Button>
      )}
      {acts.resolve && (
        <Button size="xs" leftSection={<IconCheck size={16} aria-hidden />} onClick={acts.resolve}>
          {t('talk.resolve')}
        </Button>
      )}
      {acts.reopen && (
        <Button variant="default" size="xs" leftSection={<IconRotate size={16} aria-hidden />} onClick={acts.reopen}>
          {t('talk.reopen')}
        </Button>
      )}
      <More conversation={conversation} acts={acts} />
      <Tooltip label={t('talk.details')}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          aria-label={t('talk.details')}
          aria-expanded={aside}
          onClick={toggleAside}
        >
          <IconLayoutSidebarRight size={19} className="flips" aria-hidden />
        </ActionIcon>
      </Tooltip>
    </header>
  )
}

const WAITS = ['pending', 'on_hold', 'snoozed'] as const

const More = ({ conversation, acts }: Pick<Props, 'conversation' | 'acts'>) => {
  const t = useT()
  const { setState, handBack, toQueue } = acts
  const over = conversation.state === 'resolved' || conversation.state === 'closed'
  if (over || (!setState && !handBack && !toQueue)) return null
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('talk.more')}>
          <IconDots size={19} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {handBack && (
          <Menu.Item leftSection={<IconSparkles size={16} aria-hidden />} onClick={handBack}>
            {t('talk.handBack')}
          </Menu.Item>
        )}
        {toQueue && (
          <Menu.Item leftSection={<IconUsers size={16} aria-hidden />} onClick={toQueue}>
            {t('talk.toQueue')}
          </Menu.Item>
        )}
        {setState && (
          <>
            <Menu.Label>{t('talk.setAside')}</Menu.Label>
            {WAITS.filter((one) => one !== conversation.state).map((one) => (
              <Menu.Item key={one} leftSection={<IconClockPause size={16} aria-hidden />} onClick={() => setState(one)}>
                {t(`state.${one}`)}
              </Menu.Item>
            ))}
            {conversation.state !== 'open' && (
              <Menu.Item leftSection={<IconRotate size={16} aria-hidden />} onClick={() => setState('open')}>
                {t('talk.reopen')}
              </Menu.Item>
            )}
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}
