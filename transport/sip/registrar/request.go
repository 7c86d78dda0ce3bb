// SPDX-License-Identifier: MIT

package registrar

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/dialog"
)

// maxKept is how long what is kept of a phone may be: the URI of a contact, and
// the Call-ID.
const maxKept = 512

// wish is one contact that a phone wants kept, or, with no time, forgotten.
type wish struct {
	contact string
	expires time.Duration
}

// wishes is what a REGISTER wants.
type wishes struct {
	// all is "Contact: *": everything is to be forgotten.
	all  bool
	each []wish
}

// read finds out what a REGISTER wants, or how to refuse it.
func (r *Registrar) read(req dialog.Request) (wishes, *dialog.Response) {
	if require := req.Header("Require"); len(require) > 0 {
		return wishes{}, refuse(sip.StatusBadExtension, "Bad Extension", dialog.Header{Name: "Unsupported", Value: strings.Join(require, ", ")})
	}
	if len(req.CallID) > maxKept {
		return wishes{}, refuse(sip.StatusBadRequest, "Call-ID Too Long")
	}
	general := ""
	if values := req.Header("Expires"); len(values) > 0 {
		general = values[0]
	}
	var w wishes
	contacts := req.Header("Contact")
	for _, value := range contacts {
		if value == "*" {
			if len(contacts) > 1 || strings.TrimSpace(general) != "0" {
				return w, refuse(sip.StatusBadRequest, "Contact * Must Be Alone With Expires 0")
			}
			w.all = true
			return w, nil
		}
		one, no := r.readContact(value, general)
		if no != nil {
			return w, no
		}
		w.each = append(w.each, one)
	}
	return w, nil
}

// readContact reads one Contact; general is the Expires header.
func (r *Registrar) readContact(value, general string) (wish, *dialog.Response) {
	var uri sip.Uri
	var params sip.HeaderParams
	_, err := sip.ParseAddressValue(value, &uri, &params)
	if err != nil || uri.Scheme != "sip" || uri.Host == "" || uri.Wildcard {
		return wish{}, refuse(sip.StatusBadRequest, "Contact Is No SIP URI")
	}
	uri.Host, uri.Headers = strings.ToLower(uri.Host), nil
	w := wish{contact: uri.String()}
	if len(w.contact) > maxKept || strings.ContainsFunc(w.contact, func(c rune) bool { return c <= ' ' || c == 0x7f || strings.ContainsRune(`<>"`, c) }) {
		return wish{}, refuse(sip.StatusBadRequest, "Contact Is No SIP URI")
	}
	asked := general
	if own, ok := params.Get("expires"); ok {
		asked = own
	}
	w.expires = r.cfg.Expires // also where it cannot be read (RFC 3261 section 10.2.1.1)
	if seconds, err := strconv.ParseUint(strings.TrimSpace(asked), 10, 32); err == nil {
		w.expires = min(time.Duration(seconds)*time.Second, r.cfg.MaxExpires)
	}
	if 0 < w.expires && w.expires < r.cfg.MinExpires {
		return wish{}, refuse(sip.StatusIntervalToBrief, "Interval Too Brief",
			dialog.Header{Name: "Min-Expires", Value: seconds(r.cfg.MinExpires)})
	}
	return w, nil
}

// seconds writes a time in whole seconds, rounded up.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

func refuse(status int, phrase string, headers ...dialog.Header) *dialog.Response {
	return &dialog.Response{Status: status, Phrase: phrase, Headers: headers}
}

// warning says it to a person (RFC 3261 section 20.43).
func warning(format string, a ...any) dialog.Header {
	text := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(fmt.Sprintf(format, a...))
	return dialog.Header{Name: "Warning", Value: `399 callwright "` + text + `"`}
}
