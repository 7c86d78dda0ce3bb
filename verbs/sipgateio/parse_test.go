// SPDX-License-Identifier: MIT

package sipgateio

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/verbs"
)

func utf16(s string, first, second int) string {
	var b strings.Builder
	for _, r := range "\ufeff" + s {
		bytes := [2]byte{byte(r >> 8), byte(r)}
		b.WriteByte(bytes[first])
		b.WriteByte(bytes[second])
	}
	return b.String()
}

// TestParseBytes has what cannot stand in a golden file.
func TestParseBytes(t *testing.T) {
	t.Parallel()
	const hangup = "<Response><Hangup/></Response>"
	const latin1 = `<?xml version="1.0" encoding="ISO-8859-1"?><Response><Reject reason="` + "\xfc" + `"/></Response>`
	const notUTF8 = "the byte FC is not UTF-8: send UTF-8, or declare the encoding, for example encoding=\"ISO-8859-1\"\n"
	const badReason = `: reason="ü" is not known, and rejected is taken: write rejected, busy or nothing` + "\n"
	long := "http://h/" + strings.Repeat("a", directory.MaxURL-9)
	tests := []struct{ name, contentType, body, want string }{
		{"empty", "application/xml", "", ""},
		{"empty of another type", "text/html", "", ""},
		{"blank", "", " \r\n\t", ""},
		{"byte order mark", "text/xml", "\xef\xbb\xbf" + hangup, "Hangup {}\n"},
		{"UTF-16 big-endian", "text/xml", utf16(`<?xml version="1.0" encoding="UTF-16"?>`+hangup, 0, 1), "Hangup {}\n"},
		{"UTF-16 little-endian", "text/xml; charset=utf-8", utf16(hangup, 1, 0), "Hangup {}\n"},
		{"ISO-8859-1 declared", "application/xml", latin1, "Reject {\"Cause\":\"rejected\"}\nproblem 1:62 Reject@reason" + badReason},
		{"ISO-8859-1 in the header", "application/xml; charset=iso-8859-1", latin1[43:], "Reject {\"Cause\":\"rejected\"}\nproblem 1:19 Reject@reason" + badReason},
		{"ISO-8859-1 belied by the header", "application/xml; charset=utf-8", latin1, "problem 1:70 : " + notUTF8},
		{"ISO-8859-1 undeclared", "application/xml", latin1[43:], "problem 1:27 : " + notUTF8},
		{"carriage returns", "application/xml", "<Response>\r\n  <Pley/>\r\n</Response>\r\n", "problem 2:3 Pley: <Pley> is not known in <Response>: did you mean <Play>?\n"},
		{"NUL", "application/xml", "<Response>\x00</Response>",
			"problem 1:12 : the reply is not well-formed XML (illegal character code U+0000): close every element, quote every attribute, and write &lt; for < in text\n"},
		{"a picture", "application/xml", "\x89PNG\r\n\x1a\n\x00\x00", "problem 1:1 : the byte 89 is not UTF-8: send UTF-8, or declare the encoding, for example encoding=\"ISO-8859-1\"\n"},
		{"two kinds of ampersand before a place", "application/xml", "<Response a='&&amp;&#38;&x'><Pley/>&</Response>",
			"problem 1:1 Response: the text \"&\" in <Response> is not read: leave it out\n" +
				"problem 1:11 Response@a: <Response> has no attribute a: write onAnswer, onHangup, onEvent or nothing\n" +
				"problem 1:29 Pley: <Pley> is not known in <Response>: did you mean <Play>?\n" +
				"problem 1:36 : this & begins no reference: write &amp; in text\n"},
		{"the place of an attribute", "application/xml", "<Response\n  onHangup = 'http://h/?onanswer=\"&gt;&>'\n\tONANSWER=\"\"/>",
			"remember onHangup http://h/?onanswer=\">&>\n" +
				"problem 3:2 Response@onAnswer: the URL is empty: write the whole of it, beginning with http:// or https://\n"},
		{"an attribute that is not there", "application/xml", "<Response><Gather/><Gather onData='http://h/' maxDigits='x'/></Response>",
			"Gather {\"OnData\":\"http://h/\",\"MaxDigits\":1,\"Timeout\":2000000000,\"Prompts\":null}\n" +
				"problem 1:11 Gather@onData: <Gather> does not say where the digits go: give it onData with an absolute URL\n" +
				"problem 1:47 Gather@maxDigits: maxDigits=\"x\" is not a whole number from 1 to 1000: 1 is taken, write the number in digits\n"},
		{"URLs that are too long", "application/xml", "<Response onHangup='" + long + "'><Play><Url>" + long + "a</Url></Play><Gather onData='" + long + "a'/></Response>",
			"remember onHangup " + long + "\n" +
				"problem 1:2077 Url: the URL has 2049 characters, and only those with at most 2048 can be asked\n" +
				"problem 1:4152 Gather@onData: the URL has 2049 characters, and only those with at most 2048 can be asked\n"},
		{"a type that is none", "application/xml text/xml", hangup, "problem 0:0 : the reply has the Content-Type \"application/xml text/xml\": send it with Content-Type: application/xml\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d, problems := parse(tt.body, tt.contentType, "in")
			if diff := cmp.Diff(tt.want, show(t, d, problems)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestParseHostileSize has documents that would take long if any step were
// not linear; it ends by itself only if all are.
func TestParseHostileSize(t *testing.T) {
	t.Parallel()
	const limit = 64 << 10
	attributes := strings.Builder{}
	for i := range limit / 10 {
		fmt.Fprintf(&attributes, " a%d=''", i)
	}
	for _, piece := range []string{"<a" + attributes.String() + "/>", "<Hangup" + attributes.String() + "/>", "<!--", "<![CDATA[", "&", "&#1", "<a/>", "<a>", "<a b='&'/>", "&\n", `<Dial><Number>x</Number></Dial>`, "<?"} {
		body := "<Response>" + strings.Repeat(piece, max(1, limit/len(piece))) + "</Response>"
		d, problems := parse(body, "application/xml", "in")
		if len(d.Program) > 1 || len(problems) == 0 || len(problems) > maxProblems+1 {
			t.Errorf("%.20q repeated: %d verbs, %d problems", piece, len(d.Program), len(problems))
		}
	}
}

// FuzzParse: nothing that an app answers crashes, and what comes of it can be
// run and told.
func FuzzParse(f *testing.F) {
	paths, err := filepath.Glob(goldenFiles)
	if err != nil || len(paths) == 0 {
		f.Fatalf("no golden files at %s (%v)", goldenFiles, err)
	}
	for _, path := range paths {
		g := readGolden(f, path)
		f.Add([]byte(g.body), "application/xml", g.settings["Direction"] == "out")
	}
	f.Add([]byte("\xff\xfe<\x00"), "text/xml; charset=iso-8859-15", false)
	f.Fuzz(func(t *testing.T, body []byte, contentType string, outgoing bool) {
		direction := "in"
		if outgoing {
			direction = "out"
		}
		d, problems := parse(string(body), contentType, direction)
		for i, v := range d.Program {
			checkVerb(t, v, i == len(d.Program)-1, outgoing)
		}
		for name, value := range d.Remember {
			if name != OnAnswer && name != OnHangup && name != OnEvent {
				t.Errorf("remembers %q", name)
			}
			checkURL(t, value)
		}
		if len(problems) > maxProblems+1 {
			t.Errorf("%d problems", len(problems))
		}
		for _, p := range problems {
			if p.Sentence == "" || len(p.Sentence) > 2000 || !utf8.ValidString(p.Sentence) || p.Line < 0 || p.Line > 0 && p.Column < 1 {
				t.Errorf("problem %#v", p)
			}
		}
	})
}

// checkVerb sees that a verb can be run; only the last may end the document.
func checkVerb(t *testing.T, v engine.Verb, last, outgoing bool) {
	t.Helper()
	ends := true
	switch v := v.(type) {
	case verbs.Play:
		ends = false
		checkSound(t, v.URL)
	case verbs.Say:
		ends = false
		if v.Text == "" || utf8.RuneCountInString(v.Text) > engine.MaxSpeech || v.Text != strings.Join(strings.Fields(v.Text), " ") {
			t.Errorf("says %q", v.Text)
		}
	case verbs.Gather:
		checkURL(t, v.OnData)
		if v.MaxDigits < 1 || v.Timeout < 0 {
			t.Errorf("gathers %d digits in %s", v.MaxDigits, v.Timeout)
		}
		for _, p := range v.Prompts {
			checkVerb(t, p, false, outgoing)
		}
	case verbs.Dial:
		ends = !v.GoOn
		if v.OnNoAnswer != "" {
			checkURL(t, v.OnNoAnswer)
		}
		if v.GoOn && (last || v.OnNoAnswer != "") || v.RingTime < 0 {
			t.Errorf("a Dial that is %s, the last: %v", v, last)
		}
		if len(v.Targets) < 1 || len(v.Targets) > maxTargets || outgoing && len(v.Targets) > 1 {
			t.Errorf("dials %d targets", len(v.Targets))
		}
		for _, to := range v.Targets {
			if to.Address.Kind != directory.KindNumber || !directory.IsNumber(to.Address.Value) {
				t.Errorf("dials %q", to.Address.Value)
			}
			if to.Delay < 0 || to.Timeout < 0 || to.Delay > time.Hour || to.Timeout > time.Hour {
				t.Errorf("dials %s", v)
			}
		}
		if v.CallerID != nil && !directory.IsNumber(v.CallerID.Value) {
			t.Errorf("dials as %q", v.CallerID.Value)
		}
	case verbs.Reject:
		if v.Cause != engine.CauseBusy && v.Cause != engine.CauseRejected {
			t.Errorf("rejects with %q", v.Cause)
		}
	case verbs.Hangup, verbs.Voicemail:
	default:
		t.Errorf("verb %T", v)
	}
	if ends && !last {
		t.Errorf("something follows %s", v)
	}
}

// checkSound: only a sound may be a tone.
func checkSound(t *testing.T, value string) {
	t.Helper()
	if !strings.HasPrefix(value, "tone:") {
		checkURL(t, value)
	}
}

func checkURL(t *testing.T, value string) {
	t.Helper()
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		t.Errorf("takes %q for a URL", value)
	}
}
