export const voiceNote: (text: string, seconds?: number) => Buffer
export const picture: (shows: string, writing?: string) => Buffer
export const saidIn: (bytes: Buffer) => { text: string; seconds: number } | null
export const shownIn: (bytes: Buffer) => { shows: string; writing: string }
export const hum: (seconds?: number) => Buffer<ArrayBuffer>
