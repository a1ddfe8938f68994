import { Button } from '@mantine/core'
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
import { Menu, type MenuItem } from '../ui/menu.js'
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
          className="take-over"
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
      <button
        type="button"
        className="icon-button"
        title={t('talk.details')}
        aria-label={t('talk.details')}
        aria-expanded={aside}
        onClick={toggleAside}
      >
        <IconLayoutSidebarRight size={19} className="flips" aria-hidden />
      </button>
    </header>
  )
}

const WAITS = ['pending', 'on_hold', 'snoozed'] as const

const More = ({ conversation, acts }: Pick<Props, 'conversation' | 'acts'>) => {
  const t = useT()
  const { setState, handBack, toQueue } = acts
  const over = conversation.state === 'resolved' || conversation.state === 'closed'
  if (over || (!setState && !handBack && !toQueue)) return null
  const wait = (state: (typeof WAITS)[number]): MenuItem => ({
    text: t(`state.${state}`),
    icon: <IconClockPause size={16} aria-hidden />,
    run: () => setState?.(state),
  })
  const items: MenuItem[] = [
    ...(handBack ? [{ text: t('talk.handBack'), icon: <IconSparkles size={16} aria-hidden />, run: handBack }] : []),
    ...(toQueue ? [{ text: t('talk.toQueue'), icon: <IconUsers size={16} aria-hidden />, run: toQueue }] : []),
    ...(setState
      ? [{ heading: t('talk.setAside') }, ...WAITS.filter((one) => one !== conversation.state).map(wait)]
      : []),
    ...(setState && conversation.state !== 'open'
      ? [{ text: t('talk.reopen'), icon: <IconRotate size={16} aria-hidden />, run: () => setState('open') }]
      : []),
  ]
  return (
    <Menu className="icon-button" label={t('talk.more')} items={items}>
      <IconDots size={19} aria-hidden />
    </Menu>
  )
}
