// Plays an announcement; then the number's own phones ring.
const { createWebhookModule, WebhookResponse } = require('sipgateio')

const port = process.env.SIPGATE_WEBHOOK_SERVER_PORT || 3000
const serverAddress = process.env.SIPGATE_WEBHOOK_SERVER_ADDRESS || `http://localhost:${port}/`
const announcement = process.env.ANNOUNCEMENT // the URL of a WAV file: mono, 16 bits, 8000 Hz

const log = (event) => console.log(JSON.stringify(event))

createWebhookModule().createServer({ port, serverAddress, skipSignatureVerification: true }).then((server) => {
  server.onNewCall((event) => {
    log(event)
    return WebhookResponse.playAudio({ announcement })
  })

  server.onAnswer(log)
  server.onHangUp(log)
})
