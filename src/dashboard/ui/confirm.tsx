import { Button, Modal } from '@mantine/core'
import '@mantine/core/styles/Modal.layer.css'
import '@mantine/core/styles/ModalBase.layer.css'
import '@mantine/core/styles/Overlay.layer.css'
import '@mantine/core/styles/Paper.layer.css'
import { useState, type ReactNode } from 'react'
import { useT } from '../languages/index.js'

/** A dialog in the house's manner. The page behind does not scroll anyway: locking it would need inline styles. */
export const Dialog = ({
  title,
  opened,
  close,
  children,
  size = 'md',
}: {
  title: string
  opened: boolean
  close: () => void
  children: ReactNode
  size?: 'sm' | 'md' | 'lg'
}) => {
  const t = useT()
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={<span className="dialog-title">{title}</span>}
      size={size}
      centered
      lockScroll={false}
      transitionProps={{ duration: 120 }}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      {children}
    </Modal>
  )
}

/** Asks before what cannot be taken back: says what goes, and what stays. */
export const useConfirm = (): [ReactNode, (question: Question) => void] => {
  const t = useT()
  const [question, setQuestion] = useState<Question | null>(null)
  const [busy, setBusy] = useState(false)
  const close = () => setQuestion(null)
  const confirm = async () => {
    setBusy(true)
    try {
      await question?.run()
    } finally {
      setBusy(false)
      close()
    }
  }
  return [
    <Dialog key="confirm" title={question?.title ?? ''} opened={question !== null} close={close} size="sm">
      <p className="soft">{question?.text}</p>
      <div className="row" style={{ justifyContent: 'flex-end', marginBlockStart: 'var(--s-5)' }}>
        <Button variant="default" onClick={close} data-autofocus>
          {t('common.cancel')}
        </Button>
        <Button color="red" loading={busy} onClick={() => void confirm()}>
          {question?.yes}
        </Button>
      </div>
    </Dialog>,
    setQuestion,
  ]
}

type Question = { title: string; text: string; yes: string; run: () => Promise<unknown> }
