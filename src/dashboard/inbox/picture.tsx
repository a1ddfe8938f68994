import { Button } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useT } from '../languages/index.js'
import { Dialog } from '../ui/confirm.js'
import { Drawn, useSave, type Attachment } from './files.js'

const WHOLE_PX = 1600

/** A picture as large as the screen takes it. */
export const WholePicture = ({ file, close }: { file: Attachment; close: () => void }) => {
  const t = useT()
  const { save, busy } = useSave(file)
  return (
    <Dialog title={file.name} opened close={close} size="lg">
      <div className="picture-whole">
        <Drawn file={file} most={WHOLE_PX} broken={close} />
        <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} loading={busy} onClick={save}>
          <span className="cut">{t('files.save', { name: file.name })}</span>
        </Button>
      </div>
    </Dialog>
  )
}
