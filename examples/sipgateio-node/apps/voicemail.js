// Sends calls to the voicemail while the office is closed.
const { createWebhookModule, WebhookResponse } = require('sipgateio')

const port = process.env.SIPGATE_WEBHOOK_SERVER_PORT || 3000
const serverAddress = process.env.SIPGATE_WEBHOOK_SERVER_ADDRESS || `http://localhost:${port}/`
const open = process.env.OPEN === 'true'

const log = (event) => console.log(JSON.stringify(event))

createWebhookModule().createServer({ port, serverAddress, skipSignatureVerification: true }).then((server) => {
  server.onNewCall((event) => {
    log(event)
    if (event.users.includes('voicemail')) return undefined // it is on its way there already
    return open ? undefined : WebhookResponse.sendToVoicemail()
  })

  server.onAnswer(log)
  server.onHangUp(log)
})
