// Shows the central number with calls that users make; calls that come in are left alone.
const { createWebhookModule, WebhookDirection, WebhookResponse } = require('sipgateio')

const port = process.env.SIPGATE_WEBHOOK_SERVER_PORT || 3000
const serverAddress = process.env.SIPGATE_WEBHOOK_SERVER_ADDRESS || `http://localhost:${port}/`
const callerId = process.env.CALLER_ID || '+4921100'

const log = (event) => console.log(JSON.stringify(event))

createWebhookModule().createServer({ port, serverAddress, skipSignatureVerification: true }).then((server) => {
  server.onNewCall((event) => {
    log(event)
    if (event.direction === WebhookDirection.OUT) return WebhookResponse.redirectCall({ numbers: [event.to], callerId })
  })

  server.onAnswer(log)
  server.onHangUp(log)
})
