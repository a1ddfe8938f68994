// The floor: Express with a JSON body parser and nothing behind it.
import express from 'express'

const app = express()
app.use(express.json())
app.post('/messages', (request, response) => {
  response.status(202).json({ messageId: request.body.id })
})
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(`ready http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`)
})
