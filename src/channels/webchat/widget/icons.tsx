/** Drawn by hand on a grid of 24; they say nothing by themselves: whoever uses one gives the label. */
const icon =
  (path: string, isFilled = false) =>
  () => (
    <svg
      viewBox="0 0 24 24"
      aria-hidden="true"
      fill={isFilled ? 'currentColor' : 'none'}
      stroke={isFilled ? 'none' : 'currentColor'}
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      <path d={path} />
    </svg>
  )

export const Close = icon('M6 6l12 12M18 6L6 18')
export const Back = icon('M14.5 5.5L8 12l6.5 6.5')
export const Send = icon('M12 19V5.5M6 11l6-6 6 6')
export const Person = icon(
  'M12 11.5a3.75 3.75 0 1 0 0-7.5 3.75 3.75 0 0 0 0 7.5zM4.75 20c.6-3.4 3.5-5.25 7.25-5.25S18.65 16.6 19.25 20',
)
export const Spark = icon(
  'M11 3.5c.6 4.4 2.3 6.1 6.7 6.7-4.4.6-6.1 2.3-6.7 6.7-.6-4.4-2.3-6.1-6.7-6.7 4.4-.6 6.1-2.3 6.7-6.7zM18.5 14.5c.3 2.1 1.1 2.9 3.2 3.2-2.1.3-2.9 1.1-3.2 3.2-.3-2.1-1.1-2.9-3.2-3.2 2.1-.3 2.9-1.1 3.2-3.2z',
  true,
)
export const Up = icon(
  'M7.5 11v9H4.75A.75.75 0 0 1 4 19.25v-7.5a.75.75 0 0 1 .75-.75zm0 0l3.6-7.1a2 2 0 0 1 2.4 2L13 9.5h5.1a2 2 0 0 1 2 2.3l-1 6.5a2 2 0 0 1-2 1.7H7.5',
)
export const Down = icon(
  'M16.5 13V4h2.75a.75.75 0 0 1 .75.75v7.5a.75.75 0 0 1-.75.75zm0 0l-3.6 7.1a2 2 0 0 1-2.4-2L11 14.5H5.9a2 2 0 0 1-2-2.3l1-6.5a2 2 0 0 1 2-1.7h9.6',
)
export const Chevron = icon('M6 9.5l6 6 6-6')
export const Attach = icon(
  'M19 11.5l-7.1 7.1a4.6 4.6 0 0 1-6.5-6.5l7.8-7.8a3.1 3.1 0 0 1 4.4 4.4l-7.7 7.7a1.55 1.55 0 0 1-2.2-2.2l7-7',
)
export const File = icon('M7 3.75h6.5L18 8.25v12H7zM13 4v4.5h4.75')
export const Retry = icon('M19 12a7 7 0 1 1-2.1-5M19 4v3.5h-3.5')
