/** Colours that a company chooses, made readable: WCAG 2.2, 1.4.3 asks for a contrast of 4.5 between text and what is behind it. */

type Rgb = [red: number, green: number, blue: number]

/** What the widget draws: `fill` is the company's colour as it is; `onFill` is written on it; the others are the same hue as text. */
export type Colours = { fill: string; onFill: string; textOnLight: string; textOnDark: string }

const READABLE = 4.5
const BLACK = '#000000'
const WHITE = '#ffffff'
/** The darkest of the light surfaces and the lightest of the dark ones that the widget writes on (widget.css). */
const LIGHT_SURFACE = '#f4f3ef'
const DARK_SURFACE = '#262b29'

export const coloursOf = (fill: string): Colours => ({
  fill,
  onFill: contrast(fill, WHITE) >= READABLE ? WHITE : BLACK,
  textOnLight: readable(fill, LIGHT_SURFACE, 0),
  textOnDark: readable(fill, DARK_SURFACE, 255),
})

/** From 1 to 21, by the definition of WCAG 2.2 ("contrast ratio"). */
export const contrast = (one: string, other: string): number => {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (lighter + 0.05) / (darker + 0.05)
}

/** Moves towards black (0) or white (255) until it can be read on `surface`. */
const readable = (colour: string, surface: string, towards: number): string => {
  for (let share = 0; share < 1; share += 0.04) {
    const moved = mixed(colour, towards, share)
    if (contrast(moved, surface) >= READABLE) return moved
  }
  return mixed(colour, towards, 1)
}

const mixed = (colour: string, towards: number, share: number): string =>
  `#${rgb(colour)
    .map((channel) =>
      Math.round(channel + (towards - channel) * share)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`

const rgb = (colour: string): Rgb => {
  const value = Number.parseInt(colour.slice(1), 16)
  return [value >> 16, (value >> 8) & 255, value & 255]
}

const luminance = (colour: string): number => {
  const [red, green, blue] = rgb(colour).map((channel) => {
    const share = channel / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as Rgb
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
