import { useState } from 'preact/hooks'
import type { Words } from './languages.js'

type Props = { words: Words; leave(email: string): Promise<'refused' | 'away' | null> }

/** Asked for when a person is wanted and none is here. Nobody has to: the answer appears in the chat in any case. */
export const EmailCard = ({ words, leave }: Props) => {
  const [email, setEmail] = useState('')
  const [problem, setProblem] = useState<'refused' | 'away' | null>(null)
  const [isBusy, setBusy] = useState(false)
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    if (isBusy) return
    setBusy(true)
    setProblem(/^\S+@\S+\.\S+$/.test(email.trim()) ? await leave(email.trim()) : 'refused')
    setBusy(false)
  }
  return (
    <form class="card" onSubmit={(event) => void submit(event)} noValidate>
      <h3>{words.emailTitle}</h3>
      <p id="why">{words.emailText}</p>
      <div class="row">
        <input
          type="email"
          autocomplete="email"
          dir="ltr"
          maxLength={200}
          aria-label={words.email}
          aria-describedby="why wrong"
          aria-invalid={problem === 'refused'}
          placeholder={words.email}
          value={email}
          onInput={(event) => setEmail(event.currentTarget.value)}
        />
        <button type="submit">{words.emailSave}</button>
      </div>
      <p id="wrong" class="bad" role="alert">
        {problem === 'refused' ? words.emailBad : problem === 'away' ? words.emailAway : ''}
      </p>
    </form>
  )
}
