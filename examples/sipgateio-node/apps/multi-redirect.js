// Rings several numbers at the same time; the first to answer has the call.
const { createWebhookModule, WebhookResponse } = require('sipgateio')

const port = process.env.SIPGATE_WEBHOOK_SERVER_PORT || 3000
const serverAddress = process.env.SIPGATE_WEBHOOK_SERVER_ADDRESS || `http://localhost:${port}/`
const numbers = (process.env.NUMBERS || '+4915799912345,+4915799967890').split(',')

const log = (event) => console.log(JSON.stringify(event))

createWebhookModule().createServer({ port, serverAddress, skipSignatureVerification: true }).then((server) => {
  server.onNewCall((event) => {
    log(event)
    return WebhookResponse.redirectCall({ numbers })
  })

  server.onAnswer(log)
  server.onHangUp((event) => {
    log(event)
    if (event.cause === 'normalClearing') console.error(`${event.answeringNumber} had the call of ${event.from}`)
  })
})
