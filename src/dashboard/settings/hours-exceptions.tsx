import { ActionIcon, Button, NativeSelect, TextInput } from '@mantine/core'
import { IconCalendarPlus, IconPlus, IconTrash } from '@tabler/icons-react'
import { useRef, useState } from 'react'
import { useFault, useLanguage, useT } from '../languages/index.js'
import { call } from '../server/client.js'
import { useMinute } from '../ui/clock.js'
import { useFaultAt } from './draft.js'
import { Periods } from './hours-week.js'
import { monthNames, withHolidays, type HoursException } from './hours-words.js'

type Props = { path: string; exceptions: readonly HoursException[]; change: (exceptions: HoursException[]) => void }

/** Days that are not as their weekday is: dated ones, ones of every year, and what a calendar file brings. */
export const Exceptions = ({ path, exceptions, change }: Props) => {
  const t = useT()
  const faultAt = useFaultAt()
  const fault = faultAt(path)
  return (
    <div className="stack" role="group" aria-label={t('hours.exceptions')}>
      <div className="form-head">
        <h3>{t('hours.exceptions')}</h3>
        <p className="small soft">{t('hours.exceptionsText')}</p>
      </div>
      {exceptions.length > 0 && (
        <div className="exceptions">
          {exceptions.map((exception, index) => (
            <ExceptionRow
              key={index}
              path={`${path}.${index}`}
              exception={exception}
              change={(next) => change(exceptions.map((one, at) => (at === index ? next : one)))}
              remove={() => change(exceptions.filter((_, at) => at !== index))}
            />
          ))}
        </div>
      )}
      {fault && (
        <p className="small bad-text" role="alert">
          {fault}
        </p>
      )}
      <div className="row wrap">
        <Button
          variant="default"
          size="xs"
          leftSection={<IconPlus size={15} aria-hidden />}
          onClick={() => change([...exceptions, { date: '', periods: [] }])}
        >
          {t('hours.addException')}
        </Button>
        <ReadHolidays add={(holidays) => change(withHolidays(exceptions, holidays))} />
      </div>
    </div>
  )
}

type RowProps = {
  path: string
  exception: HoursException
  change: (exception: HoursException) => void
  remove: () => void
}

const ExceptionRow = ({ path, exception, change, remove }: RowProps) => {
  const t = useT()
  const language = useLanguage()
  const faultAt = useFaultAt()
  const { date, periods, name } = exception
  const year = new Date(useMinute()).getFullYear()
  const yearly = /^\d\d-\d\d$/.test(date)
  const [month = '01', day = '01'] = date.slice(yearly ? 0 : 5).split('-')
  const called = name ?? (date || t('hours.exception'))
  const fault = faultAt(`${path}.date`) ?? faultAt(path)
  const named = (next: string): HoursException => ({ date, periods, ...(next ? { name: next } : {}) })
  return (
    <div role="group" aria-label={called}>
      <div className="exception-when">
        {yearly ? (
          <>
            <NativeSelect
              size="xs"
              aria-label={t('hours.month')}
              value={month}
              data={monthNames(language).map((label, at) => ({ value: String(at + 1).padStart(2, '0'), label }))}
              onChange={(event) => change({ ...exception, date: `${event.currentTarget.value}-${day}` })}
            />
            <NativeSelect
              size="xs"
              aria-label={t('hours.dayOfMonth')}
              error={Boolean(fault)}
              value={day}
              data={Array.from({ length: 31 }, (_, at) => String(at + 1).padStart(2, '0'))}
              onChange={(event) => change({ ...exception, date: `${month}-${event.currentTarget.value}` })}
            />
          </>
        ) : (
          <TextInput
            type="date"
            size="xs"
            aria-label={t('hours.date')}
            error={Boolean(fault)}
            value={date}
            onChange={(event) => change({ ...exception, date: event.currentTarget.value })}
          />
        )}
        <label className="row small">
          <input
            type="checkbox"
            checked={yearly}
            disabled={!yearly && date === ''}
            onChange={(event) =>
              change({ ...exception, date: event.currentTarget.checked ? date.slice(5) : `${year}-${date}` })
            }
          />
          {t('hours.yearly')}
        </label>
      </div>
      <TextInput
        size="xs"
        className="grow"
        aria-label={t('hours.exceptionName')}
        placeholder={t('hours.exceptionName')}
        maxLength={120}
        value={name ?? ''}
        onChange={(event) => change(named(event.currentTarget.value))}
      />
      <Periods
        path={`${path}.periods`}
        of={called}
        periods={periods}
        change={(next) => change({ ...exception, periods: next })}
      />
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={t('hours.removeException', { name: called })}
        onClick={remove}
      >
        <IconTrash size={16} aria-hidden />
      </ActionIcon>
      {fault && (
        <p className="small bad-text exception-fault" role="alert">
          {fault}
        </p>
      )}
    </div>
  )
}

/** A calendar of holidays is kilobytes; the server takes no more than this. */
const LARGEST_ICS = 600_000

const ReadHolidays = ({ add }: { add: (holidays: { date: string; name: string }[]) => void }) => {
  const t = useT()
  const fault = useFault()
  const input = useRef<HTMLInputElement>(null)
  const [said, setSaid] = useState<{ text: string; bad: boolean } | null>(null)
  const read = async (file: File) => {
    if (file.size > LARGEST_ICS) return setSaid({ text: t('faults.body_too_large'), bad: true })
    try {
      const { holidays } = await call('hours', 'readHolidays', { body: { ics: await file.text() } })
      add(holidays)
      setSaid({ text: t('hours.holidaysRead', { number: holidays.length }), bad: false })
    } catch (error) {
      setSaid({ text: fault(error), bad: true })
    }
  }
  return (
    <>
      <Button
        variant="default"
        size="xs"
        leftSection={<IconCalendarPlus size={15} aria-hidden />}
        onClick={() => input.current?.click()}
      >
        {t('hours.readHolidays')}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        accept=".ics,text/calendar"
        aria-label={t('hours.readHolidays')}
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? []
          event.currentTarget.value = ''
          if (file) void read(file)
        }}
      />
      <p role="status" className={said?.bad ? 'small bad-text' : 'small soft'}>
        {said?.text}
      </p>
    </>
  )
}
