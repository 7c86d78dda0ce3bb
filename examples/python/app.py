"""A phone menu in Python, with nothing but the standard library: python3 app.py"""

import os
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

PORT = int(os.environ.get("PORT", 3000))
NUMBER = os.environ.get("CONNECT")
ME = f"http://localhost:{PORT}"
SOUNDS = Path(__file__).resolve().parent.parent / "reception" / "prompts"


def ask(prompt, again):
    return f"""<Response onAnswer="{ME}/" onHangup="{ME}/">
    <Gather onData="{ME}/?again={again}" maxDigits="4" timeout="5000">
        <Play><Url>{ME}/{prompt}.wav</Url></Play>
    </Gather>
</Response>"""


def answer(event, digits, again):
    """Says what happens next on the call."""
    if event == "newCall":
        return ask("greeting", 0)
    if event != "dtmf":
        return ""  # answer, hangup: nobody reads a reply to these
    if digits == "1234" and NUMBER:
        return f"<Response><Dial><Number>{NUMBER}</Number></Dial></Response>"
    if digits == "1234":
        return f"<Response><Play><Url>{ME}/goodbye.wav</Url></Play><Hangup/></Response>"
    if again < 3:
        return ask("again", again + 1)
    return "<Response><Hangup/></Response>"


class App(SimpleHTTPRequestHandler):
    def __init__(self, *request):
        super().__init__(*request, directory=SOUNDS)  # GET plays the sounds

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        form = parse_qs(body.decode(errors="replace"))
        again = parse_qs(urlsplit(self.path).query).get("again", ["0"])[0]
        xml = answer(
            form.get("event", [""])[0],
            form.get("dtmf", [""])[0],
            int(again) if again.isdecimal() else 0,
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", len(xml))
        self.end_headers()
        self.wfile.write(xml)


print(f"listening on {ME}", flush=True)
ThreadingHTTPServer(("localhost", PORT), App).serve_forever()
