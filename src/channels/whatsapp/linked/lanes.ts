/** Work in order within a lane, and at most so much at once over all of them. */
export const makeLanes = (most: number) => {
  const tails = new Map<string, Promise<void>>()
  const waiting: (() => void)[] = []
  let running = 0

  const enter = async (): Promise<void> => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve))
    else running += 1
  }
  /** The place is handed on: nobody who comes now goes before somebody who waits. */
  const leave = (): void => {
    const next = waiting.shift()
    if (next) next()
    else running -= 1
  }

  return {
    /** `work` does not throw: nobody waits for it. */
    run: (lane: string, work: () => Promise<void>): Promise<void> => {
      const before = tails.get(lane) ?? Promise.resolve()
      const tail = before.then(async () => {
        await enter()
        try {
          await work()
        } finally {
          leave()
          if (tails.get(lane) === tail) tails.delete(lane)
        }
      })
      tails.set(lane, tail)
      return tail
    },
    /** When all that was begun has ended. */
    idle: async (): Promise<void> => {
      while (tails.size > 0) await Promise.all(tails.values())
    },
  }
}
