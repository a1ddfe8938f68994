import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { eventually } from '../support/app.js'
import { describeInBrowser } from './browser.js'
import { openDesk, type TestDesk } from './desk.js'
import { hum } from '../support/recordings.mjs'

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const TEXT = { name: 'terms.txt', mimeType: 'text/plain', buffer: Buffer.from('Our terms.') }

describeInBrowser('files and ratings in a conversation', () => {
  let desk: TestDesk
  let page: Page

  beforeAll(async () => {
    desk = await openDesk()
    page = await desk.signedIn()
  }, 60_000)
  afterAll(() => desk.close())

  const open = async (conversationId: string) => {
    await page.goto(`/inbox/${conversationId}`)
    await page.locator('.composer textarea').waitFor()
  }
  const visit = async (name: string) => {
    const visitor = await desk.visitor(name)
    await visitor.write('How long can I return goods?')
    await eventually(async () => (await visitor.reads()).length > 1)
    return visitor
  }

  it('shows a customer’s picture, enlarges it, and saves a file under its name', async () => {
    const visitor = await visit('Mei')
    const tickets = [
      await visitor.sendUp('broken zip.png', PNG),
      await visitor.sendUp('receipt.txt', Buffer.from('42')),
    ]
    await visitor.write('', tickets)
    await open(visitor.conversationId)
    await page.locator('.picture canvas[data-drawn=true]').waitFor()
    expect(await page.locator('.bubble', { hasText: 'broken zip.png' }).count()).toBe(0)
    await page.getByRole('button', { name: 'Open broken zip.png' }).click()
    await page.getByRole('dialog').locator('canvas[data-drawn=true]').waitFor()
    await page.keyboard.press('Escape')
    const saving = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Save receipt.txt' }).click()
    const saved = await saving
    expect(saved.suggestedFilename()).toBe('receipt.txt')
    expect(await readFile(await saved.path(), 'utf8')).toBe('42')
  })

  it('lets an agent attach files by choosing, pasting and dropping, and the visitor gets them', async () => {
    const visitor = await visit('Noah')
    await open(visitor.conversationId)
    await page.locator('.composer input[type=file]').setInputFiles(TEXT)
    const bytes = PNG.toString('base64')
    await page.evaluate(
      `{
        const binary = Uint8Array.from(atob('${bytes}'), (sign) => sign.charCodeAt(0))
        const holding = (name) => {
          const data = new DataTransfer()
          data.items.add(new File([binary], name, { type: 'image/png' }))
          return data
        }
        const area = document.querySelector('.composer textarea')
        area.dispatchEvent(new ClipboardEvent('paste', { clipboardData: holding('pasted.png'), bubbles: true, cancelable: true }))
        document.querySelector('.timeline').dispatchEvent(new DragEvent('drop', { dataTransfer: holding('dropped.png'), bubbles: true, cancelable: true }))
      }`,
    )
    await page.locator('.pending li').nth(2).waitFor()
    // What has arrived waits through a reload for the words to go with.
    await page.locator('.pending [aria-busy=false]').nth(2).waitFor()
    await page.reload()
    await page.locator('.pending li').nth(2).waitFor()
    await page.getByRole('button', { name: 'Remove dropped.png' }).click()
    await page.locator('.composer textarea').fill('Our terms, and a picture.')
    await page.keyboard.press('Control+Enter')
    await page.locator('.group.agent .picture canvas[data-drawn=true]').waitFor()
    await page.getByRole('button', { name: 'Save terms.txt' }).waitFor()
    expect(await page.locator('.pending').count()).toBe(0)
    const last = (await visitor.reads()).at(-1)
    expect(last).toMatchObject({ author: 'agent', text: 'Our terms, and a picture.' })
    expect(last?.attachments?.map(({ name, type }) => [name, type])).toEqual([
      ['terms.txt', 'application/octet-stream'],
      ['pasted.png', 'image/png'],
    ])
  })

  it('says what cannot be sent and why, and keeps what was typed', async () => {
    const visitor = await visit('Amina')
    await open(visitor.conversationId)
    const picker = page.locator('.composer input[type=file]')
    await page.locator('.composer textarea').fill('Look at this.')
    await picker.setInputFiles({ ...TEXT, name: 'huge.zip', buffer: Buffer.alloc(20 * 1024 * 1024) })
    await page.getByText('huge.zip is too large. Up to 5 files of 10 MB each').waitFor()
    await picker.setInputFiles({ ...TEXT, name: 'setup.exe' })
    await page.getByText('setup.exe: this kind of file cannot be sent.').waitFor()
    await picker.setInputFiles({ ...TEXT, name: 'called a picture.png' })
    await page.getByText('the file is not what its name says').waitFor()
    await page.getByRole('button', { name: 'Remove called a picture.png' }).click()
    await picker.setInputFiles([1, 2, 3, 4, 5, 6].map((number) => ({ ...TEXT, name: `${number}.txt` })))
    await page.getByText('6.txt is one file too many.').waitFor()
    expect(await page.locator('.composer textarea').inputValue()).toBe('Look at this.')
    expect(await page.locator('.pending li').count()).toBe(5)
  })

  it('plays a recording where it came, by the keyboard, from anywhere in it, and saves it', async () => {
    const visitor = await visit('Tomás')
    await visitor.write('', [await visitor.sendUp('voice.wav', hum(30))])
    const refused: string[] = []
    page.on('console', (line) => /content security policy/i.test(line.text()) && refused.push(line.text()))
    const parts = new Set<number>()
    page.on('response', (response) => response.url().includes('/attachments/') && parts.add(response.status()))
    await open(visitor.conversationId)
    const player = page.getByLabel('Play voice.wav')
    await player.waitFor()
    await page.getByRole('button', { name: 'Save voice.wav' }).waitFor()
    expect([...parts]).toEqual([])
    await player.focus()
    await page.keyboard.press('Space')
    await eventually(() => player.evaluate((audio: HTMLAudioElement) => !audio.paused && audio.currentTime > 0))
    await player.evaluate((audio: HTMLAudioElement) => void (audio.currentTime = 25))
    await eventually(() => player.evaluate((audio: HTMLAudioElement) => !audio.seeking && audio.currentTime >= 25))
    expect(await player.evaluate((audio: HTMLAudioElement) => Math.round(audio.duration))).toBe(30)
    await player.evaluate((audio: HTMLAudioElement) => audio.pause())
    expect([...parts]).toEqual([206])
    expect(refused).toEqual([])
  })

  it('shows what a customer thought of an answer, as it is given and taken back', async () => {
    const visitor = await visit('Sofia')
    await open(visitor.conversationId)
    const answer = (await visitor.reads()).find(({ author }) => author === 'assistant')
    await visitor.rate(answer?.id ?? '', 'down')
    await page.getByText('Sofia did not find this helpful').waitFor()
    await visitor.rate(answer?.id ?? '', 'up')
    await page.getByText('Sofia found this helpful').waitFor()
    await visitor.rate(answer?.id ?? '', null)
    await page.getByText('Sofia found this helpful').waitFor({ state: 'detached' })
  })
})
