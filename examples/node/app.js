// A phone menu in JavaScript, with nothing but Node itself: node app.js
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')

const port = process.env.PORT || 3000
const number = process.env.CONNECT
const me = `http://localhost:${port}`
const sounds = path.join(__dirname, '../reception/prompts')

const ask = (prompt, again) => `<Response onAnswer="${me}/" onHangup="${me}/">
  <Gather onData="${me}/?again=${again}" maxDigits="4" timeout="5000">
    <Play><Url>${me}/${prompt}.wav</Url></Play>
  </Gather>
</Response>`

// Says what happens next on the call.
function answer(event, digits, again) {
  if (event === 'newCall') return ask('greeting', 0)
  if (event !== 'dtmf') return '' // answer, hangup: nobody reads a reply to these
  if (digits === '1234' && number) {
    return `<Response><Dial><Number>${number}</Number></Dial></Response>`
  }
  if (digits === '1234') {
    return `<Response><Play><Url>${me}/goodbye.wav</Url></Play><Hangup/></Response>`
  }
  if (again < 3) return ask('again', again + 1)
  return '<Response><Hangup/></Response>'
}

http.createServer((request, response) => {
  if (request.method === 'GET') return sound(request.url, response)
  let body = ''
  request.on('data', (chunk) => { body += chunk })
  request.on('end', () => {
    const form = new URLSearchParams(body)
    const again = Number(/[?&]again=(\d+)/.exec(request.url)?.[1] ?? 0)
    response.setHeader('Content-Type', 'application/xml')
    response.end(answer(form.get('event'), form.get('dtmf'), again))
  })
}).listen(port, 'localhost', () => console.log(`listening on ${me}`))

// Sends one of the sounds that the menu plays.
function sound(url, response) {
  const name = path.basename(url)
  fs.readFile(path.join(sounds, name), (error, wav) => {
    if (error || !name.endsWith('.wav')) response.statusCode = 404
    else response.setHeader('Content-Type', 'audio/wav')
    response.end(error ? '' : wav)
  })
}
