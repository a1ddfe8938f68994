import type { ReactNode } from 'react'
import './gate.css'

/** The page before the desk: one thing to do, in the middle. */
export const Gate = ({ title, text, children }: { title: string; text: string; children: ReactNode }) => (
  <main className="gate">
    <div>
      <img src="/assets/icon.svg" alt="" width="40" height="40" />
      <h1>{title}</h1>
      <p className="soft">{text}</p>
      {children}
    </div>
  </main>
)
