// Business time and clocks, in process. Warm figures are medians of rounds; cold ones are the first use of a zone and of an
// hours object, as after a start.

const HOUR = 3_600_000
const DAY = 24 * HOUR
const ROUNDS = 15
const PER_ROUND = 2_000

const week = () => {
  const day = [
    { open: '09:00', close: '12:30' },
    { open: '13:30', close: '18:00' },
  ]
  return { mon: day, tue: day, wed: day, thu: day, fri: day }
}

/** Split shifts, ten dated exceptions a year, three yearly ones. */
const hoursIn = (/** @type {string} */ timeZone) => ({
  timeZone,
  weekly: week(),
  exceptions: [
    ...Array.from({ length: 50 }, (_, number) => ({
      date: `${2024 + Math.floor(number / 10)}-${String(1 + (number % 10)).padStart(2, '0')}-11`,
      periods: [],
    })),
    { date: '12-24', periods: [{ open: '09:00', close: '12:00' }] },
    { date: '12-25', periods: [] },
    { date: '01-01', periods: [] },
  ],
})

/** Median microseconds of one call. */
const time = (/** @type {(number: number) => unknown} */ call) => {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const begin = performance.now()
    for (let number = 0; number < PER_ROUND; number += 1) call(number)
    return ((performance.now() - begin) * 1_000) / PER_ROUND
  })
  return Number((rounds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? NaN).toFixed(2))
}

const once = (/** @type {() => unknown} */ call) => {
  const begin = performance.now()
  call()
  return Number(((performance.now() - begin) * 1_000).toFixed(1))
}

export const sla = async () => {
  const { addBusinessTime, businessTimeBetween, isOpen, nextOpening } = await import('../../dist/sla/business-hours.js')
  const { readClocks } = await import('../../dist/sla/clocks.js')
  const { POLICY_DEFAULTS } = await import('../../dist/sla/policy.js')

  const start = Date.UTC(2024, 0, 15, 9)
  const starts = Array.from({ length: PER_ROUND }, (_, number) => new Date(start + number * 2.7 * HOUR))
  const from = (/** @type {number} */ number) => /** @type {Date} */ (starts[number])
  const fiveYears = 5 * 52 * 40 * HOUR
  const newYork = hoursIn('America/New_York')

  const cold = {
    addFiveYearsColdUs: once(() => addBusinessTime(newYork, from(0), fiveYears)),
    add40HoursColdUs: once(() => addBusinessTime(hoursIn('Europe/Berlin'), from(0), 40 * HOUR)),
  }

  const target = { first_response: 2 * HOUR, next_response: HOUR, resolution: 16 * HOUR }
  const policy = {
    ...POLICY_DEFAULTS,
    id: 'bench',
    version: 1,
    name: 'Bench',
    when: {},
    targets: { low: target, normal: target, high: target, urgent: target },
  }
  const histories = starts.map((at, number) => {
    const after = (/** @type {number} */ hours) => new Date(at.getTime() + hours * HOUR)
    return [
      { id: `${number}a`, at, kind: 'customer_message' },
      { id: `${number}b`, at: after(0.01), kind: 'assistant_reply' },
      { id: `${number}c`, at: after(1), kind: 'human_reply' },
      { id: `${number}d`, at: after(1.1), kind: 'state', state: 'pending' },
      { id: `${number}e`, at: after(30), kind: 'customer_message' },
      { id: `${number}f`, at: after(31), kind: 'human_reply' },
    ]
  })

  return {
    bench: 'sla',
    ...cold,
    isOpenUs: time((number) => isOpen(newYork, from(number))),
    nextOpeningUs: time((number) => nextOpening(newYork, from(number))),
    add40HoursUs: time((number) => addBusinessTime(newYork, from(number), 40 * HOUR)),
    addFiveYearsUs: time((number) => addBusinessTime(newYork, from(number), fiveYears)),
    betweenFiveYearsUs: time((number) =>
      businessTimeBetween(newYork, from(number), new Date(from(number).getTime() + 5 * 365 * DAY)),
    ),
    // Three clocks of a conversation with six events, from scratch.
    readClocksUs: time((number) =>
      readClocks({
        policy,
        hours: newYork,
        priority: 'normal',
        history: histories[number],
        now: new Date(from(number).getTime() + 2 * DAY),
      }),
    ),
  }
}
