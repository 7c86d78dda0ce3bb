// Believes only what is signed by who it knows, and hangs up on everybody. The client has
// the key of sipgate.io built in; one line makes it the key in the file SIGNED_BY.
const crypto = require('node:crypto')
const fs = require('node:fs')
const { FluentWebhookServer, WebhookResponse } = require('sipgateio')

const port = process.env.SIPGATE_WEBHOOK_SERVER_PORT || 3000
const serverAddress = process.env.SIPGATE_WEBHOOK_SERVER_ADDRESS || `http://localhost:${port}/`
const key = fs.readFileSync(process.env.SIGNED_BY)

require('sipgateio/dist/webhook/signatureVerifier').isSipgateSignature = (signature, body) =>
  signature !== undefined && crypto.verify('RSA-SHA256', Buffer.from(body), key, Buffer.from(signature, 'base64'))

const log = (event) => console.log(JSON.stringify(event))

new FluentWebhookServer()
  .setServerPort(port)
  .setServerAddress(serverAddress)
  .setOnNewCallListener((event) => {
    log(event)
    return WebhookResponse.hangUpCall()
  })
  .setOnHangupListener(log)
  .startServer()
