import { ActionIcon } from '@mantine/core'
import { IconCopy } from '@tabler/icons-react'
import { useRef } from 'react'
import { useT } from '../languages/index.js'
import { tell } from '../ui/tell.js'

/** Something to take elsewhere. Where the clipboard may not be written to (plain HTTP), it is selected instead. */
export const Copyable = ({ text, label }: { text: string; label: string }) => {
  const t = useT()
  const code = useRef<HTMLElement>(null)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      tell(t('common.copied'))
    } catch {
      if (code.current) getSelection()?.selectAllChildren(code.current)
    }
  }
  return (
    <div className="copyable" dir="ltr">
      <code ref={code} tabIndex={0} role="group" aria-label={label}>
        {text}
      </code>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={`${t('common.copy')}: ${label}`}
        onClick={() => void copy()}
      >
        <IconCopy size={17} aria-hidden />
      </ActionIcon>
    </div>
  )
}
