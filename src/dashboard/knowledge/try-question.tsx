import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import '../inbox/beside.css'
import '../inbox/conversation.css'
import { Sources } from '../inbox/sources.js'
import { Linked } from '../inbox/text.js'
import { useFault, useT } from '../languages/index.js'
import { call } from '../server/client.js'
import { useMay } from '../server/queries.js'
import { Coming } from '../ui/states.js'

const Decision = lazy(() => import('../inbox/decision.js').then((module) => ({ default: module.Decision })))

/** The answer that a customer would get, with its proof. Nothing of it is written into a conversation. */
export const TryQuestion = () => {
  const t = useT()
  const fault = useFault()
  const mayExplain = useMay('decisions:read')
  const [question, setQuestion] = useState('')
  const [why, setWhy] = useState(false)
  const ask = useMutation({
    mutationFn: () => call('knowledge', 'ask', { body: { question: question.trim() } }),
    onMutate: () => setWhy(false),
  })
  const answer = ask.data
  return (
    <section className="card try" aria-labelledby="try">
      <h2 id="try">{t('knowledge.try')}</h2>
      <p className="small soft">{t('knowledge.tryText')}</p>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault()
          if (question.trim()) ask.mutate()
        }}
      >
        <input
          className="plain-input grow"
          dir="auto"
          aria-label={t('knowledge.question')}
          placeholder={t('knowledge.question')}
          maxLength={2000}
          value={question}
          onChange={(event) => setQuestion(event.currentTarget.value)}
        />
        <Button type="submit" size="xs" loading={ask.isPending} disabled={!question.trim()}>
          {t('knowledge.ask')}
        </Button>
      </form>
      <div role="status" className="stack">
        {ask.isError && <p className="bad-text small">{fault(ask.error)}</p>}
        {answer && !ask.isPending && (
          <>
            <div className={answer.kind === 'grounded' ? 'group assistant' : 'group'}>
              <div className="bubble" dir="auto">
                {answer.kind === 'grounded' ? <Linked text={answer.text} /> : t('knowledge.unknownAnswer')}
              </div>
            </div>
            {answer.citations.length > 0 && <Sources key={answer.decisionId} citations={answer.citations} />}
            {mayExplain && (
              <Button variant="subtle" size="compact-sm" aria-expanded={why} onClick={() => setWhy(!why)}>
                {t('knowledge.why')}
              </Button>
            )}
            {why && (
              <Suspense fallback={<Coming lines={4} />}>
                <Decision id={answer.decisionId} />
              </Suspense>
            )}
          </>
        )}
      </div>
    </section>
  )
}
