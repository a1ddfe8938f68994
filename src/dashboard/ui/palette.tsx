import { useId, useMemo, useState, type KeyboardEvent } from 'react'
import { useT } from '../languages/index.js'
import { shownKey, useAllCommands, type Command } from './commands.js'
import { Dialog } from './confirm.js'
import './palette.css'

/** Everything that can be done from here, by name; and, as the other page of it, which keys do what. */
export const Palette = ({ shown, close }: { shown: 'commands' | 'keys'; close: () => void }) => {
  const t = useT()
  return (
    <Dialog opened close={close} title={shown === 'keys' ? t('palette.keys') : t('palette.title')}>
      {shown === 'keys' ? <Keys /> : <Commands close={close} />}
    </Dialog>
  )
}

const Commands = ({ close }: { close: () => void }) => {
  const t = useT()
  const list = useId()
  const commands = useAllCommands()
  const [wanted, setWanted] = useState('')
  const [at, setAt] = useState(0)
  const found = useMemo(() => matching(commands, wanted), [commands, wanted])
  const chosen = found[Math.min(at, found.length - 1)]

  const run = (command: Command | undefined) => {
    close()
    // The palette gives the focus back first, then the command takes it where it belongs.
    if (command) setTimeout(command.run, 30)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') run(chosen)
    else if (event.key === 'ArrowDown') setAt((before) => Math.min(before + 1, found.length - 1))
    else if (event.key === 'ArrowUp') setAt((before) => Math.max(before - 1, 0))
    else return
    event.preventDefault()
  }

  return (
    <div className="palette">
      <input
        data-autofocus
        type="text"
        role="combobox"
        aria-expanded
        aria-controls={list}
        aria-activedescendant={chosen ? `${list}-${chosen.id}` : undefined}
        aria-label={t('palette.title')}
        placeholder={t('palette.placeholder')}
        value={wanted}
        onChange={(event) => {
          setWanted(event.currentTarget.value)
          setAt(0)
        }}
        onKeyDown={onKeyDown}
      />
      <div role="listbox" id={list} aria-label={t('palette.title')} tabIndex={-1}>
        {found.map((command) => (
          <div
            key={command.id}
            id={`${list}-${command.id}`}
            role="option"
            aria-selected={command === chosen}
            ref={(element) => (command === chosen ? element?.scrollIntoView({ block: 'nearest' }) : undefined)}
            onClick={() => run(command)}
          >
            <span className="grow">{command.title}</span>
            {command.key && <ShownKey of={command.key} />}
          </div>
        ))}
      </div>
      {found.length === 0 && <p className="soft palette-none">{t('palette.none')}</p>}
    </div>
  )
}

/** The words in any order, each at the beginning of a word if it can be. */
const matching = (commands: readonly Command[], wanted: string): readonly Command[] => {
  const words = wanted.toLocaleLowerCase().split(/\s+/).filter(Boolean)
  const offered = commands.filter(({ id }) => id !== 'palette')
  return offered.filter(({ title }) => words.every((word) => title.toLocaleLowerCase().includes(word))).sort(byGroup)
}

const GROUPS: Command['group'][] = ['actions', 'go', 'other']
const byGroup = (one: Command, other: Command) => GROUPS.indexOf(one.group) - GROUPS.indexOf(other.group)

const Keys = () => {
  const commands = useAllCommands()
  const t = useT()
  const withKey = [...commands].filter(({ key }) => key).sort(byGroup)
  return (
    <dl className="keys">
      {withKey.map(({ id, title, key = '' }) => (
        <div key={id}>
          <dt>{title}</dt>
          <dd>
            <ShownKey of={key} />
          </dd>
        </div>
      ))}
      <div>
        <dt>{t('common.send')}</dt>
        <dd>
          <ShownKey of="mod+Enter" />
        </dd>
      </div>
    </dl>
  )
}

const ShownKey = ({ of }: { of: string }) => (
  <span className="row" style={{ gap: '0.2rem' }}>
    {shownKey(of).map((part) => (
      <kbd key={part}>{part}</kbd>
    ))}
  </span>
)
