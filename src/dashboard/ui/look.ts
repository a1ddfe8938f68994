import { createTheme, type MantineColorsTuple } from '@mantine/core'

/** Colours are variables of tokens.css; Mantine only has to know that there is one of this name. */
const desk = Array.from({ length: 10 }, () => 'var(--accent)') as unknown as MantineColorsTuple

export const theme = createTheme({
  primaryColor: 'desk',
  colors: { desk },
  defaultRadius: 'md',
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'sm' } },
  },
})
