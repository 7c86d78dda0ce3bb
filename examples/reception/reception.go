// SPDX-License-Identifier: MIT

package reception

import (
	"embed"
	"fmt"
	"html"
	"net/http"
	"strconv"
)

//go:generate prompts/make.sh

//go:embed prompts/*.wav
var prompts embed.FS

// PIN is what the caller has to type; the greeting says it.
const PIN = "1234"

// retries is how often a caller who did not type the PIN is asked again.
const retries = 3

// maxBody is far more than any event needs.
const maxBody = 64 << 10

// Config is what the app needs to know.
type Config struct {
	// BaseURL is where the app is reached, without a slash at the end:
	// "http://localhost:3000". Empty takes the host of each request.
	BaseURL string
	// Connect is the number, in E.164, that a caller with the right PIN is
	// connected to. Without one the caller is thanked, digit by digit.
	Connect string
}

// New makes the app. It answers any request, whatever is in it, and never with
// a status of 500 or above.
func New(cfg Config) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /prompts/", http.FileServerFS(prompts))
	mux.HandleFunc("POST /", cfg.event)
	mux.HandleFunc("/", about)
	return mux
}

// about answers a browser.
func about(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "This is callwright's sample app. It waits for sipgate.io events, sent by POST.")
}

// event answers one event with what should happen on the call. A body that
// cannot be read is an event without a name.
func (cfg Config) event(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	switch r.PostFormValue("event") {
	case "newCall":
		respond(w, cfg.ask(r, "greeting", 0))
	case "dtmf":
		respond(w, cfg.typed(r))
	case "answer", "hangup":
		w.WriteHeader(http.StatusOK) // nobody reads an answer to these
	default:
		respond(w, "<Response/>")
	}
}

// ask plays a prompt and collects the PIN. It subscribes to what follows, too.
func (cfg Config) ask(r *http.Request, prompt string, again int) string {
	return fmt.Sprintf(`<Response onAnswer="%[1]s/" onHangup="%[1]s/">
	<Gather onData="%[1]s/?again=%[2]d" maxDigits="4" timeout="5000">
		<Play><Url>%[1]s/prompts/%[3]s.wav</Url></Play>
	</Gather>
</Response>`, cfg.base(r), again, prompt)
}

// typed decides what happens after the caller typed something, or nothing.
func (cfg Config) typed(r *http.Request) string {
	digits := r.PostFormValue("dtmf")
	again, err := strconv.Atoi(r.URL.Query().Get("again"))
	switch {
	case digits == PIN && cfg.Connect != "":
		return "<Response><Dial><Number>" + html.EscapeString(cfg.Connect) + "</Number></Dial></Response>"
	case digits == PIN:
		return cfg.thank(r)
	case err == nil && again >= retries:
		return "<Response><Hangup/></Response>"
	}
	return cfg.ask(r, "again", max(again, 0)+1)
}

// thank says that it was the PIN, and hangs up.
func (cfg Config) thank(r *http.Request) string {
	return fmt.Sprintf(`<Response>
	<Play><Url>%s/prompts/goodbye.wav</Url></Play>
	<Hangup/>
</Response>`, cfg.base(r))
}

// base is where this app is reached, fit to stand in XML.
func (cfg Config) base(r *http.Request) string {
	if cfg.BaseURL != "" {
		return html.EscapeString(cfg.BaseURL)
	}
	return html.EscapeString("http://" + r.Host)
}

// respond sends a document.
func respond(w http.ResponseWriter, document string) {
	w.Header().Set("Content-Type", "application/xml")
	fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n%s\n", document)
}
