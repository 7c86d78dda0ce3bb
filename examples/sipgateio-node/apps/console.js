// A console for the client's REST modules. Each line is a call, each answer is a line:
//   rtcm.getEstablishedCalls
//   rtcm.mute {"callId": "F2A9"}, true
//   call.initiate {"from": "e0", "to": "+4915799912345"}
const readline = require('node:readline')
const sipgateio = require('sipgateio')

const { SIPGATE_TOKEN_ID: tokenId, SIPGATE_TOKEN: token } = process.env
const client = sipgateio.sipgateIO(tokenId ? { tokenId, token } : { token }) // without an id it is a bearer token
const modules = {
  client,
  call: sipgateio.createCallModule(client),
  devices: sipgateio.createDevicesModule(client),
  history: sipgateio.createHistoryModule(client),
  numbers: sipgateio.createNumbersModule(client),
  rtcm: sipgateio.createRTCMModule(client),
  settings: sipgateio.createSettingsModule(client),
  voicemails: sipgateio.createVoicemailsModule(client),
}

async function run(line) {
  const [, module, method, rest] = /^(\w+)\.(\w+)\s*(.*)$/.exec(line)
  return modules[module][method](...JSON.parse(`[${rest}]`))
}

async function start() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    try {
      console.log(JSON.stringify({ result: (await run(line)) ?? null }))
    } catch (error) {
      console.log(JSON.stringify({ error: error.message }))
    }
  }
}

start()
