/** A word at the edge of the screen, read out by screen readers. What shows it is fetched with the first word. */
type Kind = 'done' | 'fault' | 'waiting'

let mount = (): void => {}

/** Called when there is something to show for the first time. */
export const whenTold = (listener: () => void): void => {
  mount = listener
}

export const tell = (message: string, kind: Kind = 'done', onClick?: () => void): void =>
  void import('@mantine/notifications').then(({ notifications }) => {
    mount()
    notifications.show({
      message,
      withCloseButton: true,
      autoClose: kind === 'done' ? 4_000 : 10_000,
      className: `tell ${kind}`,
      ...(onClick ? { onClick, style: { cursor: 'pointer' } } : {}),
    })
  })
