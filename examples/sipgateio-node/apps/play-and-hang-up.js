// Plays an announcement and hangs up when it has ended, by the REST API.
const { createWebhookModule, sipgateIO, WebhookResponse } = require('sipgateio')

const port = process.env.SIPGATE_WEBHOOK_SERVER_PORT || 3000
const serverAddress = process.env.SIPGATE_WEBHOOK_SERVER_ADDRESS || `http://localhost:${port}/`
const announcement = process.env.ANNOUNCEMENT // the URL of a WAV file: mono, 16 bits, 8000 Hz

const client = sipgateIO({ tokenId: process.env.SIPGATE_TOKEN_ID, token: process.env.SIPGATE_TOKEN })
const log = (event) => console.log(JSON.stringify(event))

createWebhookModule().createServer({ port, serverAddress, skipSignatureVerification: true }).then((server) => {
  server.onNewCall((event) => {
    log(event)
    return WebhookResponse.playAudioAndHangUp({ announcement }, client, event.callId)
  })

  server.onAnswer(log)
  server.onHangUp(log)
})
