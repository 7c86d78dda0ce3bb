// Sends every call on to one number, which is shown our own number, or none.
const { createWebhookModule, WebhookResponse } = require('sipgateio')

const port = process.env.SIPGATE_WEBHOOK_SERVER_PORT || 3000
const serverAddress = process.env.SIPGATE_WEBHOOK_SERVER_ADDRESS || `http://localhost:${port}/`
const number = process.env.NUMBER || '+4915799912345'
const callerId = process.env.CALLER_ID // unset: the account's own
const anonymous = process.env.ANONYMOUS === 'true' || undefined

const log = (event) => console.log(JSON.stringify(event))

createWebhookModule().createServer({ port, serverAddress, skipSignatureVerification: true }).then((server) => {
  server.onNewCall((event) => {
    log(event)
    return WebhookResponse.redirectCall({ numbers: [number], callerId, anonymous })
  })

  server.onAnswer(log)
  server.onHangUp(log)
})
