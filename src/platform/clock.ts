/** The only place where the current time is read; everything else takes a `Clock` or a `now`. */
export type Clock = { now(): Date }

export const systemClock: Clock = { now: () => new Date() }
