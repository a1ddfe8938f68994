import { useEffect, useRef, useSyncExternalStore } from 'react'
import { remembered } from '../server/remembered.js'

/** Something that a person can do here and now, by key, by palette, or by its button. */
export type Command = {
  id: string
  title: string
  group: 'actions' | 'go' | 'other'
  /** A single key, or one with `mod+`, which is Ctrl, on Apple machines Cmd. */
  key?: string
  run: () => void
}

const commands = new Map<string, Command>()
const listeners = new Set<() => void>()
let snapshot: readonly Command[] = []

const changed = () => {
  snapshot = [...commands.values()]
  for (const listener of listeners) listener()
}

/** What can be done as long as the component is there. `null` entries are what the person may not do. */
export const useCommands = (given: readonly (Command | null | false)[]): void => {
  const latest = useRef(given)
  latest.current = given
  const shape = given.map((one) => (one ? `${one.id}|${one.title}|${one.key ?? ''}` : '')).join('\n')
  useEffect(() => {
    const own = latest.current.flatMap((one) => (one ? [one] : []))
    const added = own.map((one): Command => ({ ...one, run: () => runLatest(one.id) }))
    const runLatest = (id: string) => latest.current.forEach((one) => one && one.id === id && one.run())
    for (const one of added) commands.set(one.id, one)
    changed()
    return () => {
      for (const one of added) if (commands.get(one.id) === one) commands.delete(one.id)
      changed()
    }
  }, [shape])
}

export const useAllCommands = (): readonly Command[] =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    () => snapshot,
  )

const SINGLE_KEYS = 'helpdesk.singleKeys'

/** WCAG 2.1.4: keys without a modifier can be switched off, for whom they press themselves. */
export const singleKeys = {
  on: (): boolean => remembered.get(SINGLE_KEYS) !== 'off',
  set: (on: boolean): void => remembered.set(SINGLE_KEYS, on ? 'on' : 'off'),
}

export const isApple = /Mac|iPhone|iPad/.test(navigator.platform)

/** As keys are shown: "mod+k" is "Ctrl K" or "⌘ K". */
export const shownKey = (key: string): string[] =>
  key
    .split('+')
    .map((part) => (part === 'mod' ? (isApple ? '⌘' : 'Ctrl') : part.length === 1 ? part.toUpperCase() : part))

const onKey = (event: KeyboardEvent): void => {
  if (event.defaultPrevented || event.isComposing || event.altKey) return
  const mod = isApple ? event.metaKey : event.ctrlKey
  const plain = !event.ctrlKey && !event.metaKey
  if (!mod && !plain) return
  const key = mod ? `mod+${event.key.toLowerCase()}` : event.key.toLowerCase()
  const command = snapshot.find((one) => one.key === key)
  if (!command) return
  if (plain && (!singleKeys.on() || isTyping(event.target) || document.querySelector('[role="dialog"]'))) return
  event.preventDefault()
  command.run()
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

document.addEventListener('keydown', onKey)
