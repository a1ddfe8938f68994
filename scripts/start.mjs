// `npm start`: set up what is missing, then run the server in this very process.
import { prepare } from './prepare.mjs'

await prepare()
await import('../dist/main.js')
