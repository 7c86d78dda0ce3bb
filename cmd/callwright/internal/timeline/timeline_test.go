// SPDX-License-Identifier: MIT

package timeline_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/cmd/callwright/internal/timeline"
	"github.com/callwright/callwright/engine"
)

// What apps send and answer stands beneath, and a Problem shows its place in
// what the app answered last on that call.
func TestEvents(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	one, other := engine.NewID(), engine.NewID()
	problem := &engine.Problem{Line: 2, Column: 3, Sentence: "<Dail> is not known"}
	var out strings.Builder
	p := timeline.Since(start, &out)
	p.Event("call", engine.Event{Call: one, Kind: engine.EventSIP, Text: "INVITE", At: start.Add(-300 * time.Microsecond)})
	for i, e := range []engine.Event{
		{Call: one, Kind: engine.EventRequest, Text: "newCall: POST http://h/", Data: engine.Data{Body: "event=newCall"}},
		{Call: one, Kind: engine.EventReply, Text: "newCall: 200", Data: engine.Data{Body: "<Response>\r\n  <Dail/>\x1b[2J\n</Response>\n"}},
		{Call: other, Kind: engine.EventReply, Text: "newCall: 200", Data: engine.Data{Body: "<Response/>"}},
		{Call: one, Kind: engine.EventProblem, Text: problem.String(), Data: engine.Data{Problem: problem}},
		{Call: one, Kind: engine.EventEnded, Text: "normal"},
		{Call: one, Kind: engine.EventProblem, Text: "late\x07", Data: engine.Data{Problem: problem}},
	} {
		e.At = start.Add(time.Duration(i) * 1500 * time.Millisecond)
		p.Event("call", e)
	}
	want := `  0.000  call        sip       INVITE
  0.000  call        request   newCall: POST http://h/
                               event=newCall
  1.500  call        reply     newCall: 200
                               <Response>
                                 <Dail/>` + "\ufffd" + `[2J
                               </Response>
  3.000  call        reply     newCall: 200
                               <Response/>
  4.500  call        problem   line 2, column 3: <Dail> is not known
                               <Dail/>` + "\ufffd" + `[2J
                               ^
  6.000  call        ended     normal
  7.500  call        problem   late` + "\ufffd" + `
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
