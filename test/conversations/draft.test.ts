import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { ACME, arrival, grounded, openCore, type Core } from '../support/core.js'
import { openTestMongo } from '../support/mongo.js'

let test: Awaited<ReturnType<typeof openTestMongo>>
let core: Core
const id = 'cnv_1'

beforeEach(async () => {
  test = await openTestMongo()
  core = await openCore(test)
  await core.receive(ACME, arrival('m1'))
})
afterEach(() => test.close())

const sentence = (text: string) => ({ text, citations: [] })
const drafts = () =>
  core.events.flatMap((event) =>
    event.type === 'sentence' ? [event.text] : event.type === 'withdrawn' ? ['(withdrawn)'] : [],
  )
const answer = () => core.answer('acme', id)

describe('an answer while it is being written', () => {
  it('is seen by its customer sentence by sentence, and then as a message', async () => {
    core.assistant.answerQuestion = async (question, signal, draft) => {
      draft.say(sentence('One.'))
      draft.say(sentence('Two.'))
      return grounded(question, signal, draft)
    }
    await answer()
    expect(drafts()).toEqual(['One.', 'Two.'])
    const [first, second] = core.events.flatMap((event) => (event.type === 'sentence' ? [event] : []))
    expect(first).toMatchObject({ companyId: 'acme', conversationId: id, index: 0 })
    expect(second).toMatchObject({ draftId: first?.draftId, contactId: first?.contactId, index: 1 })
    expect(core.events.findLastIndex(({ type }) => type === 'message')).toBeGreaterThan(
      core.events.findLastIndex(({ type }) => type === 'sentence'),
    )
  })

  it('is taken back when a person speaks first, and the thinking ends at that moment', async () => {
    let ended: unknown
    core.assistant.answerQuestion = async (_question, signal, draft) => {
      draft.say(sentence('One.'))
      await core.actions.speak({
        companyId: 'acme',
        conversationId: id,
        person: { id: 'usr_1', name: 'Ana' },
        text: 'Hello, this is Ana.',
      })
      ended = signal.reason
      draft.say(sentence('Two.'))
      return new Promise((_resolve, reject) => reject(signal.reason as Error))
    }
    await answer()
    expect(ended).toMatchObject({ code: 'changed_meanwhile' })
    expect(drafts().at(-1)).toBe('(withdrawn)')
    const messages = await core.inbox.messages('acme', id)
    expect(messages.filter(({ kind }) => kind === 'message').map(({ author }) => author.kind)).toEqual([
      'customer',
      'agent',
    ])
  })

  it('is taken back when the run fails, before the next one begins', async () => {
    core.assistant.answerQuestion = async (_question, _signal, draft) => {
      draft.say(sentence('One.'))
      throw new Error('down')
    }
    await answer()
    expect(drafts()).toEqual(['One.', '(withdrawn)'])
    core.assistant.answerQuestion = grounded
    core.pass(1_000)
    await answer()
    expect(drafts()).toEqual(['One.', '(withdrawn)'])
    expect(core.events.some((event) => event.type === 'message' && event.seq === 2)).toBe(true)
  })

  it('is not shown any more once its time is up', async () => {
    core.pass(28_900)
    let say = () => {}
    core.assistant.answerQuestion = (_question, _signal, draft) => {
      say = () => draft.say(sentence('Too late.'))
      return new Promise(() => {})
    }
    await answer()
    say()
    expect(drafts()).toEqual([])
  })
})
