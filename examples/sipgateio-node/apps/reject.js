// Takes no call: who hides his number is rejected, everybody else hears that we are busy.
const { createWebhookModule, RejectReason, WebhookResponse } = require('sipgateio')

const port = process.env.SIPGATE_WEBHOOK_SERVER_PORT || 3000
const serverAddress = process.env.SIPGATE_WEBHOOK_SERVER_ADDRESS || `http://localhost:${port}/`

const log = (event) => console.log(JSON.stringify(event))

createWebhookModule().createServer({ port, serverAddress, skipSignatureVerification: true }).then((server) => {
  server.onNewCall((event) => {
    log(event)
    const reason = event.from === 'anonymous' ? RejectReason.REJECTED : RejectReason.BUSY
    return WebhookResponse.rejectCall({ reason })
  })

  server.onHangUp(log)
})
