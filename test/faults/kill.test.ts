import { expect, it } from '@jest/globals'
import { killRounds } from '../../scripts/bench/kill.mjs'

it('loses no acknowledged message, doubles none, leaves nobody waiting and keeps its clocks true when it is killed under load', async () => {
  const outcome = await killRounds({ rounds: 4, visitors: 8 })
  expect(outcome).toMatchObject({ lost: 0, doubled: 0, outOfOrder: 0, unanswered: 0, untrue: 0 })
  expect(outcome.acknowledged).toBeGreaterThan(50)
}, 300_000)
