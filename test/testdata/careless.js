// An app on the official client of sipgate.io whose author took no care: FAULT says of what.
const { createWebhookModule, WebhookResponse } = require('sipgateio')

const port = process.env.SIPGATE_WEBHOOK_SERVER_PORT
const serverAddress = process.env.SIPGATE_WEBHOOK_SERVER_ADDRESS
const fault = process.env.FAULT
const skipSignatureVerification = fault !== 'verify'

const log = (event) => console.log(JSON.stringify(event))
const fail = (event) => { throw new Error(event.event) }
const never = () => new Promise(() => {})

const newCall = {
  throw: fail,
  reject: async (event) => fail(event),
  exit: () => process.exit(3),
  play: () => WebhookResponse.playAudio({ announcement: `${serverAddress}nothing.wav` }),
  sleep: never,
  gather: () => WebhookResponse.gatherDTMF({ maxDigits: 1, timeout: 100 }), // and nobody takes the key
  redirect: () => WebhookResponse.redirectCall({ numbers: [] }),
}

createWebhookModule().createServer({ port, serverAddress, skipSignatureVerification }).then((server) => {
  server.onNewCall((event) => {
    log(event)
    return newCall[fault]?.(event)
  })
  if (fault.startsWith('later')) server.onAnswer(fault === 'later-throw' ? fail : never)
  server.onHangUp(fault === 'later-sleep' ? never : log)
})
