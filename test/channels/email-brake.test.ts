import { describe, expect, it } from '@jest/globals'
import { makeBrake } from '../../src/channels/email/brake.js'

const at = (seconds: number) => new Date(Date.UTC(2026, 2, 2, 10) + seconds * 1_000)

describe('two machines that answer each other', () => {
  it('are stopped after a few mails, while people and other senders are not', () => {
    const brake = makeBrake()
    const machine = Array.from({ length: 12 }, (_, index) => brake.isTooFast('bot@machine.example', at(index * 5)))
    expect(machine.indexOf(true)).toBe(8)
    expect(brake.isTooFast('ana@customer.example', at(60))).toBe(false)
    const person = Array.from({ length: 12 }, (_, index) => brake.isTooFast('bo@customer.example', at(index * 300)))
    expect(person).not.toContain(true)
  })

  it('are stopped too where they take their time', () => {
    const brake = makeBrake()
    const slow = Array.from({ length: 60 }, (_, index) => brake.isTooFast('slow@machine.example', at(index * 61)))
    expect(slow).toContain(true)
  })

  it('are let go again once they are quiet', () => {
    const brake = makeBrake()
    for (let index = 0; index < 20; index += 1) brake.isTooFast('bot@machine.example', at(index))
    expect(brake.isTooFast('bot@machine.example', at(2 * 3_600))).toBe(false)
  })
})
