import { useMutation, type UseMutationOptions } from '@tanstack/react-query'
import { useRef } from 'react'

/**
 * What must happen once: the second half of a double click comes before the page knows that the first is under way, and
 * finds it so here.
 */
export const useDeed = <Answer, Given = void>(options: UseMutationOptions<Answer, Error, Given>) => {
  const underWay = useRef(false)
  const { mutationFn } = options
  const deed = useMutation({
    ...options,
    ...(mutationFn && {
      mutationFn: (given: Given, context: Parameters<typeof mutationFn>[1]) =>
        mutationFn(given, context).finally(() => {
          underWay.current = false
        }),
    }),
  })
  const mutate = (given: Given): void => {
    if (underWay.current) return
    underWay.current = true
    deed.mutate(given)
  }
  return { ...deed, mutate }
}
