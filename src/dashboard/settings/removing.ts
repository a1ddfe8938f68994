import { useFault } from '../languages/index.js'
import { queryClient } from '../server/queries.js'
import { tell } from '../ui/tell.js'

/** Takes something away and looks at what is left, whatever came of it; why it did not go is said. */
export const useRemoving = (list: string): ((remove: () => Promise<unknown>) => Promise<void>) => {
  const fault = useFault()
  return async (remove) => {
    await remove().catch((error: unknown) => tell(fault(error), 'fault'))
    await queryClient.invalidateQueries({ queryKey: [list] })
  }
}
