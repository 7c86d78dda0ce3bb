// A menu that asks until it gets a key it knows: 1 for sales, 2 for the voicemail,
// 9 for whoever the number rings, 0 to hang up. After three wrong answers it hangs up.
const { createWebhookModule, WebhookResponse } = require('sipgateio')

const port = process.env.SIPGATE_WEBHOOK_SERVER_PORT || 3000
const serverAddress = process.env.SIPGATE_WEBHOOK_SERVER_ADDRESS || `http://localhost:${port}/`
const announcement = process.env.ANNOUNCEMENT // the URL of a WAV file: mono, 16 bits, 8000 Hz
const timeout = Number(process.env.TIMEOUT || 3000) // milliseconds for a key, after the announcement
const sales = process.env.SALES || '+4915799912345'

const log = (event) => console.log(JSON.stringify(event))
const ask = () => WebhookResponse.gatherDTMF({ announcement, maxDigits: 1, timeout })
const wrong = new Map() // how often the caller of a call was wrong

createWebhookModule().createServer({ port, serverAddress, skipSignatureVerification: true }).then((server) => {
  server.onNewCall((event) => {
    log(event)
    return ask()
  })

  server.onData((event) => {
    log(event)
    if (event.dtmf === '1') return WebhookResponse.redirectCall({ numbers: [sales] })
    if (event.dtmf === '2') return WebhookResponse.sendToVoicemail()
    if (event.dtmf === '9') return undefined
    wrong.set(event.callId, (wrong.get(event.callId) || 0) + 1)
    if (event.dtmf === '0' || wrong.get(event.callId) === 3) return WebhookResponse.hangUpCall()
    return ask()
  })

  server.onAnswer(log)

  server.onHangUp((event) => {
    log(event)
    wrong.delete(event.callId)
  })
})
