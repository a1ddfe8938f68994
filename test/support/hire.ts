/** A document in which one thing, a deposit, stands in two places and means another in each. */
export const HIRE = [
  '# Hire',
  '## Renting a car',
  'We block a deposit of 300 euros on your card. You get it back after a week.',
  '## Renting a bicycle',
  'Please bring the deposit of 50 euros in cash. You get it back at once.',
].join('\n\n')
