import { describe, expect, it } from '@jest/globals'
import { advance, look, readClocks, settle, watch } from '../../src/sla/clocks.js'
import { HOUR, hoursOf, MINUTE, office } from './hours.js'
import { at, clock, clockFace, conversation, dueAt, ledger, moment, promise } from './conversation.js'

describe('a customer waits for the first word of a person', () => {
  it.each<[string, string[], string, string]>([
    ['who has not come yet', ['10:00 customer'], '10:30', 'running'],
    ['who comes in time', ['10:00 customer', '10:20 agent'], '10:30', 'met'],
    ['who comes on the last millisecond', ['10:00 customer', '11:00 agent'], '11:30', 'met'],
    ['who comes a millisecond too late', ['10:00 customer', '11:00:00.001 agent'], '11:30', 'breached'],
    ['who is not late yet at the deadline', ['10:00 customer'], '11:00', 'running'],
    ['who is late a millisecond after it', ['10:00 customer'], '11:00:00.001', 'breached'],
    ['and has the assistant meanwhile', ['10:00 customer', '10:01 assistant'], '10:30', 'running'],
    ['and the assistant solves it', ['10:00 customer', '10:01 assistant', '10:30 resolved'], '12:00', 'not_applicable'],
    [
      'and the assistant solves it, late',
      ['10:00 customer', '10:01 assistant', '13:00 resolved'],
      '14:00',
      'not_applicable',
    ],
    [
      'whom the assistant fetched, and who solves it in silence',
      ['10:00 customer', '10:01 assistant', '10:02 handoff', '10:30 resolved'],
      '12:00',
      'cancelled',
    ],
    [
      'whom the assistant fetched, and who comes too late',
      ['10:00 customer', '10:01 assistant', '10:02 handoff', '13:00 resolved'],
      '14:00',
      'breached',
    ],
    ['and it is closed without a word', ['10:00 customer', '10:30 closed'], '12:00', 'cancelled'],
    ['and it is closed without a word, too late', ['10:00 customer', '12:30 closed'], '13:00', 'breached'],
    ['and writes again, which changes nothing', ['10:00 customer', '10:50 customer'], '11:01', 'breached'],
    ['who is only waiting for others', ['10:00 customer', '10:05 pending'], '11:01', 'breached'],
    ['who spoke before the customer did', ['09:00 agent', '10:00 customer'], '10:30', 'running'],
    ['who spoke before and after', ['09:00 agent', '10:00 customer', '10:10 agent'], '10:30', 'met'],
  ])('%s', (_case, lines, now, expected) => {
    expect(clock(at(now, conversation(...lines)), 'first_response').state).toBe(expected)
  })

  it('which is not promised before the customer wrote', () => {
    expect(at('10:00', conversation('09:00 agent', '09:30 pending')).clocks).toEqual([])
    expect(at('10:00', []).nextChangeAt).toBeNull()
  })

  it('where the policy says so, the assistant answers as well as a person', () => {
    const policy = promise({ countAssistantReplies: true })
    const reading = at('12:00', conversation('10:00 customer', '10:01 assistant', '10:05 customer'), { policy })
    expect(clock(reading, 'first_response').state).toBe('met')
    expect(clock(reading, 'next_response')).toMatchObject({ state: 'breached', endedAt: null })
    const solved = conversation('10:00 customer', '10:01 assistant', '10:30 resolved')
    expect(clock(at('12:00', solved, { policy }), 'first_response').state).toBe('met')
  })

  it('comes back after the assistant alone solved it: a new promise begins with the new message', () => {
    const back = conversation(
      '10:00 customer',
      '10:01 assistant',
      '10:30 resolved',
      '1 09:00 customer',
      '1 09:20 agent',
    )
    const reading = at('1 12:00', back)
    expect(clock(reading, 'first_response', 0)).toMatchObject({ state: 'not_applicable', reason: 'assistant_alone' })
    expect(clock(reading, 'first_response', 1)).toMatchObject({ state: 'met', elapsedMs: 20 * MINUTE })
    expect(reading.clocks.map(({ id }) => id)).toEqual(['first_response:e1', 'resolution:e1', 'first_response:e4'])
  })

  it('and the time to the assistant and from the handoff is shown beside it', () => {
    const history = conversation(
      '10:00 customer',
      '10:01 assistant',
      '10:05 handoff',
      '10:20 handoff',
      '10:30 agent',
      '10:40 agent',
    )
    expect(at('12:00', history)).toMatchObject({
      assistantFirstReply: { fromId: 'e1', toId: 'e2', elapsedMs: MINUTE },
      handoffToHumanReply: { fromId: 'e3', toId: 'e5', elapsedMs: 25 * MINUTE },
    })
    expect(at('10:10', history).handoffToHumanReply).toEqual({ fromId: 'e3', toId: null, elapsedMs: 5 * MINUTE })
    expect(at('10:00', history)).toMatchObject({ assistantFirstReply: { toId: null }, handoffToHumanReply: null })
  })
})

describe('a customer waits for the next word', () => {
  const talk = ['10:00 customer', '10:10 agent']
  it.each<[string, string[], string, string]>([
    ['and has it in time', ['10:20 customer', '10:50 agent'], '11:00', 'met'],
    ['and has it too late', ['10:20 customer', '10:51 agent'], '11:00', 'breached'],
    ['and still waits', ['10:20 customer'], '10:50', 'running'],
    ['and has waited too long', ['10:20 customer'], '10:50:00.001', 'breached'],
    ['and writes again, which does not start again', ['10:20 customer', '10:40 customer'], '10:51', 'breached'],
    ['and it is resolved before it was due', ['10:20 customer', '10:49 resolved'], '11:00', 'cancelled'],
    ['and it is resolved on the deadline', ['10:20 customer', '10:50 resolved'], '11:00', 'cancelled'],
    ['and it is resolved after the deadline', ['10:20 customer', '10:51 resolved'], '11:00', 'breached'],
    ['and only the assistant answers', ['10:20 customer', '10:21 assistant'], '10:51', 'breached'],
    [
      'and only the assistant answers and solves',
      ['10:20 customer', '10:21 assistant', '10:30 resolved'],
      '10:51',
      'cancelled',
    ],
    ['while somebody waits for a colleague', ['10:20 customer', '10:21 snoozed'], '10:51', 'breached'],
  ])('%s', (_case, lines, now, expected) => {
    expect(clock(at(now, conversation(...talk, ...lines)), 'next_response').state).toBe(expected)
  })

  it('once for every time, and not before the first answer', () => {
    const reading = at(
      '12:00',
      conversation(...talk, '10:20 customer', '10:30 agent', '10:31 agent', '10:40 customer', '10:45 agent'),
    )
    expect(reading.clocks.map(({ id, state }) => `${id} ${state}`)).toEqual([
      'first_response:e1 met',
      'resolution:e1 running',
      'next_response:e3 met',
      'next_response:e6 met',
    ])
    expect(at('12:00', conversation('10:00 customer', '10:01 assistant', '10:02 customer')).clocks).toHaveLength(2)
  })

  it('after coming back to a person who had solved it', () => {
    const reading = at('1 09:10', conversation(...talk, '10:15 resolved', '1 09:00 customer'))
    expect(dueAt(clock(reading, 'next_response'))).toBe('1 09:30')
  })
})

describe('a customer waits for the solution', () => {
  it.each<[string, string[], string, string, number]>([
    ['and has it in time', ['10:00 customer', '12:00 resolved'], '20:00', 'met', 2 * HOUR],
    ['and has it on the deadline', ['10:00 customer', '18:00 resolved'], '20:00', 'met', 8 * HOUR],
    ['and has it too late', ['10:00 customer', '19:00 resolved'], '20:00', 'breached', 9 * HOUR],
    ['and has it when it is closed', ['10:00 customer', '12:00 closed'], '20:00', 'met', 2 * HOUR],
    [
      'and the closing a week later is not a second solution',
      ['10:00 customer', '12:00 resolved', '7 12:00 closed'],
      '8 00:00',
      'met',
      2 * HOUR,
    ],
    [
      'while waiting for the customer does not count',
      ['10:00 customer', '11:00 pending', '15:00 open', '20:00 resolved'],
      '21:00',
      'met',
      6 * HOUR,
    ],
    [
      'while snoozing does not count',
      ['10:00 customer', '11:00 snoozed', '15:00 open', '20:00 resolved'],
      '21:00',
      'met',
      6 * HOUR,
    ],
    [
      'while being on hold counts',
      ['10:00 customer', '11:00 on_hold', '15:00 open', '20:00 resolved'],
      '21:00',
      'breached',
      10 * HOUR,
    ],
    [
      'from one pause into the other',
      ['10:00 customer', '11:00 pending', '13:00 snoozed', '15:00 open', '16:00 resolved'],
      '21:00',
      'met',
      2 * HOUR,
    ],
    [
      'until the customer writes, which ends the pause',
      ['10:00 customer', '11:00 pending', '13:00 customer', '20:00 open'],
      '20:00:00.001',
      'breached',
      8 * HOUR + 1,
    ],
    [
      'and writes twice before anybody pauses',
      ['10:00 customer', '10:30 customer', '11:00 pending'],
      '23:00',
      'paused',
      HOUR,
    ],
    ['solved out of a pause', ['10:00 customer', '11:00 pending', '23:00 resolved'], '23:30', 'met', HOUR],
    ['paused on the deadline itself', ['10:00 customer', '18:00 pending'], '23:00', 'paused', 8 * HOUR],
    [
      'paused on the deadline and gone on',
      ['10:00 customer', '18:00 pending', '22:00 open'],
      '22:00',
      'running',
      8 * HOUR,
    ],
    [
      'paused on the deadline and gone on too long',
      ['10:00 customer', '18:00 pending', '22:00 open'],
      '22:00:00.001',
      'breached',
      8 * HOUR + 1,
    ],
    [
      'paused a moment too late',
      ['10:00 customer', '18:00:00.001 pending', '22:00 open', '23:00 resolved'],
      '23:30',
      'breached',
      9 * HOUR + 1,
    ],
    [
      'comes back: the solved time does not count',
      ['10:00 customer', '12:00 resolved', '1 10:00 customer', '1 13:00 resolved'],
      '2 00:00',
      'met',
      5 * HOUR,
    ],
    [
      'comes back, and it is the same clock',
      ['10:00 customer', '12:00 resolved', '1 10:00 customer'],
      '1 16:00:00.001',
      'breached',
      8 * HOUR + 1,
    ],
    ['a person reopens it', ['10:00 customer', '12:00 resolved', '1 10:00 open'], '1 11:00', 'running', 3 * HOUR],
    [
      'a person reopens it into a pause',
      ['10:00 customer', '12:00 resolved', '1 10:00 pending'],
      '1 11:00',
      'paused',
      2 * HOUR,
    ],
    [
      'it was too late once, solving it again changes nothing',
      ['10:00 customer', '19:00 resolved', '1 10:00 customer', '1 10:30 resolved'],
      '2 00:00',
      'breached',
      9.5 * HOUR,
    ],
    [
      'too late, then paused, then solved',
      ['10:00 customer', '19:00 pending', '21:00 open', '22:00 resolved'],
      '23:00',
      'breached',
      10 * HOUR,
    ],
    [
      'while the state is said twice',
      ['10:00 customer', '11:00 pending', '12:00 pending', '13:00 open', '13:30 open'],
      '14:00',
      'running',
      2 * HOUR,
    ],
  ])('%s', (_case, lines, now, expected, elapsedMs) => {
    expect(clock(at(now, conversation(...lines)), 'resolution')).toMatchObject({ state: expected, elapsedMs })
  })

  it('which is one promise, however often the customer writes', () => {
    const reading = at('11:00', conversation('10:00 customer', '10:05 customer', '10:10 agent', '10:20 customer'))
    expect(reading.clocks.map(({ kind }) => kind)).toEqual(['first_response', 'resolution', 'next_response'])
  })

  it('and closing what was solved does not solve it again', () => {
    const found = clock(at('20:00', conversation('10:00 customer', '12:00 resolved', '15:00 closed')), 'resolution')
    expect(found).toMatchObject({ state: 'met', endedAt: moment('12:00') })
    expect(ledger(found)).toEqual(['10:00 start by e1', '12:00 meet by e2'])
  })

  it('stands still once, where one reason to wait follows another', () => {
    const history = conversation('10:00 customer', '11:00 pending', '12:00 snoozed', '13:00 open')
    const found = clock(at('14:00', history), 'resolution')
    expect(ledger(found)).toEqual(['10:00 start by e1', '11:00 pause by e2', '13:00 resume by e4'])
  })

  it('reopened after the promise was broken, was due when it was due', () => {
    const history = conversation('10:00 customer', '19:00 resolved', '21:00 open')
    expect(clock(at('22:00', history), 'resolution')).toMatchObject({
      state: 'breached',
      deadline: moment('18:00'),
      elapsedMs: 10 * HOUR,
    })
  })

  it('pauses in the states that the policy lists', () => {
    const policy = promise({ pausedIn: ['on_hold'] })
    const reading = at('20:00', conversation('10:00 customer', '11:00 on_hold', '15:00 pending'), { policy })
    expect(dueAt(clock(reading, 'resolution'))).toBe('22:00')
    expect(clock(at('12:00', conversation('10:00 customer', '11:00 on_hold'), { policy }), 'resolution')).toMatchObject(
      {
        state: 'paused',
        remainingMs: 7 * HOUR,
      },
    )
  })
})

describe('the opening hours of the company', () => {
  const hours = office('UTC', { '2024-01-17': '' })
  const policy = promise({ time: 'business' })

  it('a message at night is due an hour after opening', () => {
    const reading = at('20:00', conversation('19:30 customer'), { policy, hours })
    const found = clock(reading, 'first_response')
    expect([clockFace(found.startedAt), clockFace(found.countsFrom), dueAt(found)]).toEqual([
      '19:30',
      '1 09:00',
      '1 10:00',
    ])
    expect(found.elapsedMs).toBe(0)
    expect(clockFace(reading.nextChangeAt)).toBe('1 09:45')
  })

  it('neither night nor holiday counts toward the solution', () => {
    const history = conversation('16:00 customer', '1 10:00 pending', '1 20:00 open', '3 13:00 resolved')
    expect(dueAt(clock(at('1 20:00', history, { policy, hours }), 'resolution'))).toBe('3 15:00')
    expect(clock(at('4 00:00', history, { policy, hours }), 'resolution')).toMatchObject({
      state: 'met',
      elapsedMs: 6 * HOUR,
    })
  })

  it('a promise that ends at closing is broken in the evening, not in the morning', () => {
    expect(clock(at('17:00', conversation('16:00 customer'), { policy, hours }), 'first_response').state).toBe(
      'running',
    )
    expect(clock(at('17:00:00.001', conversation('16:00 customer'), { policy, hours }), 'first_response').state).toBe(
      'breached',
    )
  })

  it('do not matter where the policy counts by the calendar', () => {
    const found = clock(at('19:40', conversation('19:30 customer'), { policy: promise(), hours }), 'first_response')
    expect([clockFace(found.countsFrom), dueAt(found)]).toEqual(['19:30', '20:30'])
  })

  it('a handoff at night counts from the next opening', () => {
    const history = conversation('19:30 customer', '19:31 assistant', '19:32 handoff', '1 09:10 agent')
    expect(at('1 10:00', history, { policy, hours }).handoffToHumanReply?.elapsedMs).toBe(10 * MINUTE)
  })

  it('that never open cannot be promised by', () => {
    expect(() => at('12:00', conversation('10:00 customer'), { policy, hours: hoursOf('UTC', {}) })).toThrow(/not open/)
  })
})

describe('the priority', () => {
  it('at which the conversation begins sets the targets', () => {
    expect(dueAt(clock(at('10:00', conversation('10:00 customer'), { priority: 'urgent' }), 'first_response'))).toBe(
      '10:15',
    )
    expect(dueAt(clock(at('10:00', conversation('09:00 urgent', '10:00 customer')), 'first_response'))).toBe('10:15')
  })

  it('raised, brings the deadline forward from the same start', () => {
    const reading = at('10:05', conversation('10:00 customer', '10:05 urgent'))
    expect(reading.clocks.map((each) => [each.kind, each.priority, dueAt(each)])).toEqual([
      ['first_response', 'urgent', '10:15'],
      ['resolution', 'urgent', '12:00'],
    ])
  })

  it('raised too late, is due at once and never in the past', () => {
    const history = conversation('10:00 customer', '10:40 urgent')
    expect(clock(at('10:40', history), 'first_response')).toMatchObject({ state: 'running', deadline: moment('10:40') })
    expect(ledger(clock(at('12:00', history), 'first_response'))).toEqual([
      '10:00 start by e1',
      '10:40 retarget by e2',
      '10:40 warning by time',
      '10:40:00.001 breach by time',
    ])
  })

  it('lowered, pushes the deadline out, and what was warned about is not warned about again', () => {
    const found = clock(
      at('12:00', conversation('10:00 customer', '10:13 high'), { priority: 'urgent' }),
      'first_response',
    )
    expect(ledger(found)).toEqual([
      '10:00 start by e1',
      '10:11:15 warning by time',
      '10:13 retarget by e2',
      '11:00:00.001 breach by time',
    ])
  })

  it('changed after the breach or the reply, changes nothing', () => {
    const late = at('12:00', conversation('10:00 customer', '11:30 urgent'))
    expect(clock(late, 'first_response')).toMatchObject({ priority: 'normal', deadline: moment('11:00') })
    const kept = at('12:00', conversation('10:00 customer', '10:30 agent', '11:30 urgent'))
    expect(clock(kept, 'first_response')).toMatchObject({ state: 'met', priority: 'normal', deadline: moment('11:00') })
  })

  it('changed to one with the same targets, leaves the ledger alone', () => {
    const found = clock(at('10:30', conversation('10:00 customer', '10:20 high')), 'first_response')
    expect([found.priority, dueAt(found), found.ledger.length]).toEqual(['high', '11:00', 1])
  })

  it('changed in a pause, counts when it goes on', () => {
    const history = conversation('10:00 customer', '11:00 pending', '12:00 urgent', '13:00 open')
    expect(clock(at('12:30', history), 'resolution')).toMatchObject({ state: 'paused', remainingMs: HOUR })
    expect(dueAt(clock(at('13:30', history), 'resolution'))).toBe('14:00')
  })

  it('changed while it was solved, counts when it is reopened', () => {
    const history = conversation('10:00 customer', '11:00 resolved', '12:00 urgent', '13:00 open')
    expect(clock(at('12:30', history), 'resolution')).toMatchObject({ state: 'met', priority: 'normal' })
    expect(clock(at('13:30', history), 'resolution')).toMatchObject({ priority: 'urgent', deadline: moment('14:00') })
  })

  it('that promises nothing is measured all the same', () => {
    const history = conversation('10:00 customer', '10:30 agent', '12:00 pending', '13:00 resolved')
    const reading = at('20:00', history, { priority: 'low' })
    expect(reading.clocks).toMatchObject([
      {
        kind: 'first_response',
        state: 'not_applicable',
        reason: 'no_target',
        elapsedMs: 30 * MINUTE,
        endedAt: moment('10:30'),
      },
      {
        kind: 'resolution',
        state: 'not_applicable',
        reason: 'no_target',
        elapsedMs: 2 * HOUR,
        endedAt: moment('13:00'),
      },
    ])
    expect(ledger(clock(reading, 'resolution'))).toEqual(['10:00 start by e1', '12:00 pause by e3', '13:00 stop by e4'])
    expect(at('10:10', conversation('10:00 customer'), { priority: 'low' }).nextChangeAt).toBeNull()
    expect(
      clock(at('20:00', conversation('10:00 customer', '13:00 resolved'), { priority: 'low' }), 'first_response'),
    ).toMatchObject({
      reason: 'no_target',
      endedAt: moment('13:00'),
    })
    const unanswered = at('20:00', conversation('10:00 customer', '13:00 resolved'), { priority: 'low' })
    expect(ledger(clock(unanswered, 'first_response'))).toEqual(['10:00 start by e1', '13:00 stop by e2'])
  })

  it('raised from one that promises nothing, promises from the start', () => {
    const reading = at('10:05', conversation('10:00 customer', '10:05 urgent'), { priority: 'low' })
    expect(dueAt(clock(reading, 'first_response'))).toBe('10:15')
    const lowered = at('10:06', conversation('10:00 customer', '10:05 low'))
    expect(clock(lowered, 'first_response')).toMatchObject({
      state: 'not_applicable',
      reason: 'no_target',
      endedAt: null,
    })
    expect(lowered.nextChangeAt).toBeNull()
  })
})

describe('warnings and breaches come of themselves', () => {
  const history = conversation('10:00 customer')

  it('each once, at three quarters and right after the deadline', () => {
    expect(ledger(clock(at('23:00', history), 'first_response'))).toEqual([
      '10:00 start by e1',
      '10:45 warning by time',
      '11:00:00.001 breach by time',
    ])
  })

  it('and it is known beforehand when', () => {
    const seen: (string | null)[] = []
    for (let next = at('10:00', history).nextChangeAt; next; next = at(clockFace(next) ?? '', history).nextChangeAt) {
      seen.push(clockFace(next))
    }
    expect(seen).toEqual(['10:45', '11:00:00.001', '16:00', '18:00:00.001'])
  })

  it('a warning that is behind is no longer shown as coming', () => {
    expect(clock(at('10:44', history), 'first_response')).toMatchObject({ state: 'running', warnsAt: moment('10:45') })
    expect(clock(at('10:45', history), 'first_response')).toMatchObject({ state: 'running', warnsAt: null })
  })

  it('at the share that the policy says', () => {
    const policy = promise({ warningShare: 0.5 })
    expect(clockFace(at('10:00', history, { policy }).nextChangeAt)).toBe('10:30')
  })

  it('not once somebody replied, and not while it stands still', () => {
    expect(at('23:00', conversation('10:00 customer', '10:10 agent', '10:20 pending')).nextChangeAt).toBeNull()
  })

  it('a reply in the very millisecond of the warning comes after it', () => {
    const found = clock(at('23:00', conversation('10:00 customer', '10:45 agent')), 'first_response')
    expect(ledger(found)).toEqual(['10:00 start by e1', '10:45 warning by time', '10:45 meet by e2'])
  })

  it('the warning of a clock that was paused moves with it, and comes once', () => {
    const found = clock(
      at('23:00', conversation('10:00 customer', '12:00 pending', '14:00 customer', '19:00 pending', '20:00 open')),
      'resolution',
    )
    expect(ledger(found)).toEqual([
      '10:00 start by e1',
      '12:00 pause by e2',
      '14:00 resume by e3',
      '18:00 warning by time',
      '19:00 pause by e4',
      '20:00 resume by e5',
      '21:00:00.001 breach by time',
    ])
  })
})

describe('the history alone decides', () => {
  it('in the order of its times', () => {
    const told = conversation('10:20 agent', '10:00 customer')
    expect(clock(at('12:00', told), 'first_response')).toMatchObject({ state: 'met', elapsedMs: 20 * MINUTE })
  })

  it('and what lies ahead has not happened yet, but will be looked at', () => {
    const reading = at('10:10', conversation('10:00 customer', '10:20 agent'))
    expect(clock(reading, 'first_response').state).toBe('running')
    expect(clockFace(reading.nextChangeAt)).toBe('10:20')
    expect(clockFace(at('09:00', conversation('10:00 customer')).nextChangeAt)).toBe('10:00')
  })

  it('a reply that was accepted late but written in time keeps the promise', () => {
    const before = at('11:10', conversation('10:00 customer'))
    expect(clock(before, 'first_response').state).toBe('breached')
    const after = at('11:20', conversation('10:00 customer', '10:59 agent'))
    expect(clock(after, 'first_response').state).toBe('met')
  })

  it('an event from before what is settled is not slipped in', () => {
    const terms = { policy: promise(), hours: null, priority: 'normal' as const }
    const [customer, agent] = conversation('10:00 customer', '10:20 agent')
    if (!customer || !agent) throw new Error('two events')
    const later = settle(advance(watch(terms), customer), moment('10:30'))
    expect(() => advance(later, agent)).toThrow(/e2 came too late/)
    expect(look(advance(watch(terms), customer), moment('10:30'))).toEqual(
      readClocks({ ...terms, history: [customer], now: moment('10:30') }),
    )
  })

  it('the ledger names every change with its message, target and deadline', () => {
    const found = clock(
      at('23:00', conversation('10:00 customer', '11:00 pending', '12:00 urgent', '13:00 customer', '13:30 resolved')),
      'resolution',
    )
    // As it is written down: nothing stands there as undefined.
    expect(found.ledger).toStrictEqual([
      {
        at: moment('10:00'),
        change: 'start',
        cause: { kind: 'customer_message', id: 'e1' },
        targetMs: 8 * HOUR,
        deadline: moment('18:00'),
      },
      {
        at: moment('11:00'),
        change: 'pause',
        cause: { kind: 'state', id: 'e2', state: 'pending' },
        targetMs: 8 * HOUR,
        deadline: null,
      },
      {
        at: moment('12:00'),
        change: 'retarget',
        cause: { kind: 'priority', id: 'e3', priority: 'urgent' },
        targetMs: 2 * HOUR,
        deadline: null,
      },
      {
        at: moment('13:00'),
        change: 'resume',
        cause: { kind: 'customer_message', id: 'e4' },
        targetMs: 2 * HOUR,
        deadline: moment('14:00'),
      },
      {
        at: moment('13:30'),
        change: 'warning',
        cause: { kind: 'time' },
        targetMs: 2 * HOUR,
        deadline: moment('14:00'),
      },
      {
        at: moment('13:30'),
        change: 'meet',
        cause: { kind: 'state', id: 'e5', state: 'resolved' },
        targetMs: 2 * HOUR,
        deadline: moment('14:00'),
      },
    ])
    expect(found.policy).toEqual({ id: 'pol_1', version: 3 })
  })

  it('cancelling, waiving and ending late are written down as well', () => {
    const last = (...lines: string[]) => ledger(clock(at('23:00', conversation(...lines)), 'first_response')).at(-1)
    expect(last('10:00 customer', '10:30 resolved')).toBe('10:30 cancel by e2')
    expect(last('10:00 customer', '10:01 assistant', '10:30 resolved')).toBe('10:30 waive by e3')
    expect(last('10:00 customer', '12:00 agent')).toBe('12:00 stop by e2')
    expect(last('10:00 customer', '12:00 resolved')).toBe('12:00 stop by e2')
  })
})

describe('one policy, six hours after a customer wrote', () => {
  const six = { first_response: null, next_response: null, resolution: null }
  const only = (targets: Partial<Record<keyof typeof six, number>>) => {
    const each = { ...six, ...targets }
    return promise({ targets: { low: each, normal: each, high: each, urgent: each } })
  }
  const written = '10:00 customer'

  it.each<[string, Partial<Record<keyof typeof six, number>>, string[], string]>([
    ['nobody ever replied', { first_response: HOUR }, [written], 'breached'],
    [
      'the second question waits since the first answer',
      { next_response: HOUR },
      [written, '11:00 agent', '11:00 customer'],
      'breached',
    ],
    ['it is still open', { resolution: HOUR }, [written], 'breached'],
    // Elsewhere the solution is looked at only once it is solved; here the promise was broken at its deadline.
    ['it was solved, five hours late', { resolution: HOUR }, [written, '16:00 resolved'], 'breached'],
    ['the first answer came within its time', { first_response: 6 * HOUR }, [written, '15:30 agent'], 'met'],
    [
      'the first answer came, and it is solved',
      { first_response: 6 * HOUR },
      [written, '15:30 agent', '15:40 resolved'],
      'met',
    ],
    ['it was solved within its time', { resolution: 8 * HOUR }, [written, '16:00 resolved'], 'met'],
  ])('%s', (_case, targets, lines, expected) => {
    const reading = at('16:00', conversation(...lines), { policy: only(targets) })
    const promised = reading.clocks.filter((each) => 'targetMs' in each)
    expect(promised.map(({ state }) => state)).toEqual([expected])
  })

  it('nobody waits for a next answer: there is no such clock', () => {
    const reading = at('16:00', conversation(written, '15:30 agent'), { policy: only({ next_response: 6 * HOUR }) })
    expect(reading.clocks.map(({ kind }) => kind)).toEqual(['first_response', 'resolution'])
    expect(reading.nextChangeAt).toBeNull()
  })

  it('three promises, two of them broken, each announced once', () => {
    const policy = only({ first_response: HOUR, next_response: HOUR, resolution: HOUR })
    const reading = at('16:00', conversation(written, '11:00 agent', '11:00 customer'), { policy })
    expect(reading.clocks.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
      'first_response met',
      'resolution breached',
      'next_response breached',
    ])
    for (const each of reading.clocks.slice(1))
      expect(each.ledger.filter(({ change }) => change === 'breach')).toHaveLength(1)
  })
})
