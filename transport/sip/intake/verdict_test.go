// SPDX-License-Identifier: MIT

package intake

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// torture gives the messages of RFC 4475 by their names. They are in the module
// of sipgo.
func torture(t testing.TB) map[string][]byte {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/emiago/sipgo").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "sip/testdata/torture/*/*.dat"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no messages of RFC 4475 in %s: %v", dir, err)
	}
	all := map[string][]byte{}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(name), ".dat")] = data
	}
	return all
}

// verdicts are what is answered to messages of RFC 4475 that the parser does not
// get, or why nothing is.
var verdicts = map[string]string{
	"badaspec":   "400 To: Character Not Allowed In URI",
	"badbranch":  "400 Via: Branch Without Value",
	"baddn":      "400 Missing Blank Line Behind Header",
	"badinv01":   "400 Via: Empty Parameter",
	"badvers":    "505 Version Not Supported",
	"bigcode":    "Status Line Not Readable",
	"clerr":      "400 Content-Length Beyond End Of Message",
	"escruri":    "400 Request-URI: Headers Not Allowed In This URI",
	"insuf":      "400 Missing Call-ID Header",
	"intmeth":    "501 Not Implemented",
	"ltgtruri":   "400 Request-URI: URI Without Scheme",
	"lwsruri":    "400 Blank Out Of Place In Request Line",
	"lwsstart":   "400 Blank Out Of Place In Request Line",
	"mcl01":      "400 More Than One Content-Length Header",
	"mismatch01": "400 CSeq Method Differs",
	"mismatch02": "400 CSeq Method Differs",
	"multi01":    "400 More Than One Call-ID Header",
	"ncl":        "400 Content-Length: Number Out Of Range",
	"novelsc":    "416 Unsupported URI Scheme",
	"quotbal":    "400 To: Quote Not Closed",
	"regbadct":   "400 Contact: Headers Not Allowed In This URI",
	"scalar02":   "400 CSeq: Number Out Of Range",
	"scalarlg":   "CSeq: Number Out Of Range",
	"test":       "not a SIP message",
	"trws":       "400 Blank Out Of Place In Request Line",
	"unkscm":     "416 Unsupported URI Scheme",
	"unksm2":     "400 To: A SIP URI Expected",
}

func TestCheckTorture(t *testing.T) {
	t.Parallel()
	messages := torture(t)
	if len(messages) < 49 {
		t.Fatalf("%d messages, want at least the 49 of RFC 4475", len(messages))
	}
	for name, data := range messages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := Check(data)
			if diff := cmp.Diff(verdicts[name], said(v)); diff != "" {
				t.Error(diff)
			}
			if v.Message != nil {
				if msg, err := sip.ParseMessage(v.Message); err != nil {
					t.Errorf("the parser does not take it: %v\n%s", err, v.Message)
				} else if msg.Via() == nil || msg.From() == nil || msg.To() == nil || msg.CallID() == nil || msg.CSeq() == nil {
					t.Errorf("not all there:\n%s", msg)
				}
			}
		})
	}
}

// said gives the answer, or the reason if there is none.
func said(v Verdict) string {
	answer, _ := v.Answer(netip.MustParseAddrPort("192.0.2.1:5060"), false, "")
	if answer == nil {
		return v.Reason
	}
	line, _, _ := strings.Cut(string(answer), "\r\n")
	return strings.TrimPrefix(line, "SIP/2.0 ")
}

// What is unusual but allowed reaches the parser in its own words.
func TestCheckWritesAnew(t *testing.T) {
	t.Parallel()
	v := Check(torture(t)["wsinv"])
	head, _, _ := strings.Cut(string(v.Message), "\r\n\r\n")
	want := `INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0
TO: sip:vivekg@chair-dnrc.example.com;tag=1918181833n
from: "J Rosenberg \\\"" <sip:jdrosen@example.com>;tag=98asjd8
MaX-fOrWaRdS: 0068
Call-ID: wsinv.ndaksdj@192.0.2.1
Content-Length: 150
cseq: 0009 INVITE
Via: SIP/2.0/UDP 192.0.2.2;branch=390skdjuw
s: 
NewFangledHeader: newfangled value continued newfangled value
UnknownHeaderWithUnusualValue: ;;,,;;,;
Content-Type: application/sdp
Route: <sip:services.example.com;lr;unknownwith=value;unknown-no-value>
v: SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8
v: SIP/2.0/UDP 192.168.255.111;branch=z9hG4bK30239
m: "Quoted string \"\"" <sip:jdrosen@example.com>;newparam=newvalue;secondparam;q=0.33`
	if diff := cmp.Diff(want, strings.ReplaceAll(head, "\r\n", "\n")); diff != "" {
		t.Error(diff)
	}
}
