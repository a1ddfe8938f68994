import { chosenCompany, refusalOf, Unreachable } from './client.js'

/** Files go and come as bytes. Which company is meant stands in a header; for players, which send none, in the address. */

/** Not fetch, which does not say how far a body is. Resolves with what the server answered. */
export const sendFile = (path: string, file: File, progress: (percent: number) => void): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const form = new FormData()
    form.append('file', file)
    const request = new XMLHttpRequest()
    request.open('POST', path)
    const company = chosenCompany.get()
    if (company) request.setRequestHeader('x-company-id', company)
    request.upload.onprogress = ({ loaded, total }) => progress(Math.round((100 * loaded) / Math.max(1, total)))
    request.onerror = () => reject(new Unreachable('The server does not answer.'))
    request.onload = () => {
      if (request.status < 300) return resolve(JSON.parse(request.responseText))
      const headers = { get: (name: string) => request.getResponseHeader(name) }
      reject(refusalOf({ status: request.status, headers }, request.responseText))
    }
    request.send(form)
  })

export const attachmentAddress = (id: string): string => {
  const company = chosenCompany.get()
  return `/api/v1/attachments/${encodeURIComponent(id)}${company ? `?company=${encodeURIComponent(company)}` : ''}`
}

export const fetchAttachment = async (id: string, signal?: AbortSignal): Promise<Blob> => {
  const company = chosenCompany.get()
  const response = await fetch(`/api/v1/attachments/${encodeURIComponent(id)}`, {
    credentials: 'same-origin',
    headers: company ? { 'x-company-id': company } : {},
    ...(signal ? { signal } : {}),
  }).catch((cause: unknown) => {
    throw signal?.aborted ? cause : new Unreachable('The server does not answer.', { cause })
  })
  if (!response.ok) throw refusalOf(response, await response.text())
  return response.blob()
}

export const saveAs = (blob: Blob, name: string): void => {
  const address = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}
