import { useQueries, useQuery } from '@tanstack/react-query'
import { IconCheck, IconX } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useLanguage, useT, wordsFor, type T } from '../languages/index.js'
import { call } from '../server/client.js'
import { Coming, Failed } from '../ui/states.js'

/**
 * Why the assistant said what it said. The record grows with the assistant: what is known here is shown, what is not is
 * left out, and nothing of it is taken for granted.
 */
export const Decision = ({ id }: { id: string }) => {
  const t = useT()
  const record = useQuery({
    queryKey: ['decision', id],
    queryFn: ({ signal }) => call('knowledge', 'getDecision', { params: { id }, signal }),
    staleTime: Infinity,
  })
  if (record.isPending) return <Coming lines={6} />
  if (record.isError) return <Failed error={record.error} retry={() => void record.refetch()} />
  return <DecisionRecord record={fieldsOf(record.data)} none={t('decision.none')} />
}

type Fields = Record<string, unknown>

const fieldsOf = (given: unknown): Fields => (typeof given === 'object' && given !== null ? (given as Fields) : {})
const listOf = (given: unknown): Fields[] => (Array.isArray(given) ? given.map(fieldsOf) : [])
const textOf = (given: unknown): string | null => (typeof given === 'string' && given !== '' ? given : null)
const numberOf = (given: unknown): number | null => (typeof given === 'number' && Number.isFinite(given) ? given : null)

/** More candidates than this explain nothing more. */
const SHOWN = 12

/** The record names documents by id, because their titles may change. */
const useTitles = (candidates: readonly Fields[]): Map<string, string> => {
  const ids = [...new Set(candidates.flatMap(({ documentId }) => textOf(documentId) ?? []))]
  const found = useQueries({
    queries: ids.map((id) => ({
      queryKey: ['document', id],
      queryFn: () => call('knowledge', 'getDocument', { params: { id } }),
      staleTime: Infinity,
      retry: false,
    })),
  })
  return new Map(found.flatMap(({ data }) => (data ? [[data.id, data.title] as const] : [])))
}

const DecisionRecord = ({ record, none }: { record: Fields; none: string }) => {
  const t = useT()
  const language = useLanguage()
  const number = (value: number, digits = 2) =>
    new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value)
  const answer = fieldsOf(record.answer)
  const verdict = fieldsOf(record.verdict)
  const times = fieldsOf(record.times)
  const candidates = listOf(record.candidates)
  const model = fieldsOf(record.model)
  // What the model wrote, cut or not, and below it what was quoted without one where that was the answer.
  const sentences = [...listOf(model.sentences), ...(record.mode === 'extractive' ? listOf(record.sentences) : [])]
  const words = listOf(record.analysed).flatMap(({ words: some }) => listOf(some))
  const grounded = answer.kind === 'grounded'
  const question = textOf(record.question)
  const pictures = (Array.isArray(record.pictures) ? record.pictures : []).flatMap((one: unknown) => textOf(one) ?? [])
  const asked = textOf(fieldsOf(record.understood).standalone) ?? textOf(record.asked)
  const within = textOf(fieldsOf(record.within).label)
  const titles = useTitles(candidates.slice(0, SHOWN))
  const most = Math.max(...candidates.map(({ score }) => numberOf(score) ?? 0), 0)

  return (
    <div className="decision">
      <p>
        <span className={grounded ? 'chip assistant' : 'chip waiting'}>
          {grounded ? t('decision.grounded') : t('decision.unknown')}
        </span>{' '}
        <span className="chip">{record.mode === 'model' ? t('decision.model') : t('decision.extractive')}</span>
      </p>
      <Part title={t('decision.question')}>
        <blockquote dir="auto">{question ?? none}</blockquote>
        {record.from === 'transcript' && <p className="soft small">{t('decision.transcript')}</p>}
        {pictures.length > 0 && (
          <>
            <p className="soft small">{t('decision.pictures')}</p>
            {pictures.map((text, index) => (
              <blockquote key={index} dir="auto">
                {text}
              </blockquote>
            ))}
          </>
        )}
        {asked && asked !== question && (
          <>
            <p className="soft small">{t('decision.understood')}</p>
            <blockquote dir="auto">{asked}</blockquote>
          </>
        )}
        {words.length > 0 && (
          <p className="words" dir="auto">
            {words.map((word, index) => (
              <span key={index} className={word.unseen === true ? 'word unseen' : 'word'}>
                {textOf(word.surface) ?? textOf(word.text) ?? textOf(word.word) ?? textOf(word.term) ?? ''}
              </span>
            ))}
          </p>
        )}
      </Part>
      {within && <p>{t('decision.within', { label: within })}</p>}
      {textOf(verdict.reason) && (
        <Part title={t('decision.verdict')}>
          <p>{verdictText(t, language, verdict)}</p>
        </Part>
      )}
      <AskedBack clarification={fieldsOf(record.clarification)} />
      {sentences.length > 0 && (
        <Part title={t('decision.sentences')}>
          <ol className="sentences">
            {sentences.map((sentence, index) => (
              <Sentence key={index} sentence={sentence} />
            ))}
          </ol>
        </Part>
      )}
      <Part title={t('decision.candidates', { count: candidates.length })}>
        {candidates.length === 0 && <p className="soft">{t('decision.noCandidates')}</p>}
        {candidates.length > 0 && (
          <table className="candidates">
            <thead>
              <tr>
                <th scope="col">{t('decision.passage')}</th>
                <th scope="col">{t('decision.score')}</th>
              </tr>
            </thead>
            <tbody>
              {candidates.slice(0, SHOWN).map((candidate, index) => {
                const score = numberOf(candidate.score)
                return (
                  <tr key={index}>
                    <td>
                      <bdi className="cut">
                        {textOf(candidate.title) ?? titles.get(textOf(candidate.documentId) ?? '') ?? `${index + 1}`}
                      </bdi>
                      <meter min={0} max={most || 1} value={score ?? 0} aria-hidden />
                    </td>
                    <td>{score === null ? '' : number(score)}</td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        )}
      </Part>
      <dl className="facts">
        <Line name={t('decision.language')} value={textOf(record.language)} />
        <Line name={t('decision.searchTime')} value={milliseconds(language, times.searchMs)} />
        <Line name={t('decision.modelTime')} value={milliseconds(language, times.modelMs)} />
        <Line name={t('decision.totalTime')} value={milliseconds(language, times.totalMs)} />
        <Line name={t('decision.tokens')} value={tokensOf(fieldsOf(record.usage))} />
        <Line
          name={t('decision.modelName')}
          value={joined([textOf(model.name), modelFault(t, textOf(model.reason))])}
        />
        <Line name={t('decision.version')} value={textOf(record.algorithm)} />
      </dl>
    </div>
  )
}

/** What the customer was asked back with, where nothing could be proved; or why they were not. */
const AskedBack = ({ clarification }: { clarification: Fields }) => {
  const t = useT()
  const outcome = textOf(clarification.outcome)
  if (!outcome) return null
  const choices = listOf(clarification.choices)
  return (
    <Part title={t('decision.askedBack')}>
      <p>{wordsFor(t, `askedBack.${outcome}`, outcome)}</p>
      {choices.length > 0 && (
        <ul>
          {choices.map((choice, index) => (
            <li key={index}>
              <bdi>{textOf(choice.label)}</bdi>
              {choice.title !== choice.label && (
                <>
                  {' · '}
                  <bdi className="soft">{textOf(choice.title)}</bdi>
                </>
              )}
            </li>
          ))}
        </ul>
      )}
    </Part>
  )
}

/** What was covered, what was missing, and how sure that makes; older records say it in English only. */
const verdictText = (t: T, language: string, verdict: Fields): string => {
  const words = fieldsOf(verdict.words)
  const [count, confidence, threshold] = [words.asked, verdict.confidence, verdict.threshold].map(numberOf)
  if (typeof count !== 'number' || typeof confidence !== 'number' || typeof threshold !== 'number')
    return textOf(verdict.reason) ?? ''
  const percent = (value: number) => new Intl.NumberFormat(language, { style: 'percent' }).format(value)
  if (count === 0) return t('decision.nothingFound')
  const missing = Array.isArray(words.missing) ? words.missing.map(String) : []
  const found = count - missing.length
  return [
    missing.length === 0
      ? t('decision.coveredAll', { count })
      : t('decision.covered', { found, count, missing: missing.slice(0, MISSING_SHOWN).join(', ') }),
    t('decision.confidence', { confidence: percent(confidence), threshold: percent(threshold) }),
    ...(words.proven === false ? [t('decision.unproven')] : []),
  ].join(' ')
}

const MISSING_SHOWN = 8

const cutReason = (t: T, code: string): string => wordsFor(t, `cutReason.${code}`, code)

const modelFault = (t: T, code: string | null): string | null =>
  code === null ? null : wordsFor(t, `modelFault.${code}`, code)

const milliseconds = (language: string, given: unknown): string | null => {
  const value = numberOf(given)
  if (value === null) return null
  return new Intl.NumberFormat(language, { style: 'unit', unit: 'millisecond', maximumFractionDigits: 0 }).format(value)
}

/** Read → written; nothing where no model was asked. */
const tokensOf = (usage: Fields): string | null => {
  const [input, output] = [numberOf(usage.inputTokens) ?? 0, numberOf(usage.outputTokens) ?? 0]
  return input + output === 0 ? null : `${input} → ${output}`
}

const joined = (parts: readonly (string | null)[]): string | null => parts.filter(Boolean).join(' · ') || null

const Part = ({ title, children }: { title: string; children: ReactNode }) => (
  <section>
    <h3>{title}</h3>
    {children}
  </section>
)

const Line = ({ name, value }: { name: string; value: string | null }) =>
  value === null ? null : (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )

/** A sentence that was let through, or one that was cut, and why. */
const Sentence = ({ sentence }: { sentence: Fields }) => {
  const t = useT()
  const text = textOf(sentence.text) ?? textOf(sentence.quote)
  const verdict = textOf(sentence.verdict)
  const cut = verdict !== null && verdict !== 'proved'
  if (!text) return null
  return (
    <li className={cut ? 'cut-out' : ''}>
      {cut ? <IconX aria-hidden /> : <IconCheck aria-hidden />}
      <span>
        <span className="hidden">{cut ? t('decision.cut') : t('decision.kept')}: </span>
        <bdi>{text}</bdi>
        {cut && <em> ({joined([cutReason(t, verdict), textOf(sentence.detail)])})</em>}
      </span>
    </li>
  )
}
