const HUES = 8

/** Two letters on a colour that stays with the name. */
export const Face = ({ name }: { name: string }) => {
  const letters = name
    .trim()
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] ?? '')
    .join('')
  const hue = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 997, 7) % HUES
  return (
    <span className={`face hue-${hue}`} aria-hidden>
      {letters.toLocaleUpperCase() || '?'}
    </span>
  )
}
