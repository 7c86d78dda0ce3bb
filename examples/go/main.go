// SPDX-License-Identifier: MIT

// Command go is a phone menu in Go, with nothing but the standard library. It
// never keeps state. Run it from the repository's root: go run ./examples/go
package main

import (
	"cmp"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
)

const ask = `<Response onAnswer="%[1]s/" onHangup="%[1]s/">
	<Gather onData="%[1]s/?again=%[3]d" maxDigits="4" timeout="5000">
		<Play><Url>%[1]s/prompts/%[2]s.wav</Url></Play>
	</Gather>
</Response>`

const dial = `<Response><Dial><Number>%s</Number></Dial></Response>`

const thanks = `<Response>
	<Play><Url>%s/prompts/goodbye.wav</Url></Play>
	<Hangup/>
</Response>`

func main() {
	address := "localhost:" + cmp.Or(os.Getenv("PORT"), "3000")
	http.Handle("GET /prompts/", http.FileServer(http.Dir("examples/reception")))
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprint(w, answer("http://"+address, r))
	})
	log.Println("listening on http://" + address)
	log.Fatal(http.ListenAndServe(address, nil))
}

// answer says what happens next on the call.
func answer(me string, r *http.Request) string {
	number := os.Getenv("CONNECT")
	again, _ := strconv.Atoi(r.URL.Query().Get("again"))
	switch event := r.PostFormValue("event"); {
	case event == "newCall":
		return fmt.Sprintf(ask, me, "greeting", 0)
	case event != "dtmf":
		return "" // answer, hangup: nobody reads a reply to these
	case r.PostFormValue("dtmf") == "1234" && number != "":
		return fmt.Sprintf(dial, number)
	case r.PostFormValue("dtmf") == "1234":
		return fmt.Sprintf(thanks, me)
	case again < 3:
		return fmt.Sprintf(ask, me, "again", again+1)
	}
	return "<Response><Hangup/></Response>"
}
