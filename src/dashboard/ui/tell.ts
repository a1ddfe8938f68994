import { notifications } from '@mantine/notifications'

/** A word at the edge of the screen, read out by screen readers. */
export const tell = (message: string, kind: 'done' | 'fault' | 'waiting' = 'done', onClick?: () => void): void => {
  notifications.show({
    message,
    withCloseButton: true,
    autoClose: kind === 'done' ? 4_000 : 10_000,
    className: `tell ${kind}`,
    ...(onClick ? { onClick, style: { cursor: 'pointer' } } : {}),
  })
}
