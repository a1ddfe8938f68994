type ChoicesProps<Value extends string> = {
  label: string
  options: readonly { value: Value; label: string; disabled?: boolean }[]
  chosen: readonly Value[]
  fault?: string | undefined
  change: (chosen: Value[]) => void
}

/** Any of these. */
export const Choices = <Value extends string>({ label, options, chosen, fault, change }: ChoicesProps<Value>) => (
  <fieldset className="bare choices">
    <legend>{label}</legend>
    {options.map(({ value, label: text, disabled = false }) => (
      <label key={value} className="row small">
        <input
          type="checkbox"
          checked={chosen.includes(value)}
          disabled={disabled}
          onChange={(event) =>
            change(event.currentTarget.checked ? [...chosen, value] : chosen.filter((one) => one !== value))
          }
        />
        <bdi>{text}</bdi>
      </label>
    ))}
    {fault && (
      <p className="small bad-text" role="alert">
        {fault}
      </p>
    )}
  </fieldset>
)
