// SPDX-License-Identifier: MIT

package sipgateio

import (
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// The names of the pushes.
const (
	newCall = "newCall"
	dtmf    = "dtmf"
	answer  = "answer"
	hangup  = "hangup"
)

// noAnswer is the push of ours that asks what to do when a <Dial> reached nobody.
const noAnswer = "noAnswer"

// The keys under which a Call's DialectState keeps the URLs that the App
// subscribed; they are the names of the attributes of <Response>.
const (
	OnAnswer = "onAnswer"
	OnHangup = "onHangup"
	OnEvent  = "onEvent" // of ours: events.go
)

// maxUsers is how many users a push names. The official client reads more than
// 20 of one name as an object instead of an array.
const maxUsers = 20

// signature is the header that signs a push.
const signature = "X-Sipgate-Signature"

// anonymous stands for a number that is withheld, or that a party has not got:
// apps read the number fields as digits or this word, and nothing else.
const anonymous = "anonymous"

// Dialect is the language of the sipgate.io push API.
type Dialect struct {
	deliver func(engine.CallInfo) engine.Program
}

// New makes a Dialect. Whenever an app leaves a call to the account settings,
// deliver gives the program that carries them out.
func New(deliver func(engine.CallInfo) engine.Program) *Dialect {
	return &Dialect{deliver: deliver}
}

// Request words a newCall for a call that begins, a dtmf for a Gather that ended,
// and a noAnswer for a Dial that reached nobody.
func (d *Dialect) Request(c engine.CallInfo, why engine.Event) engine.Request {
	switch why.Kind {
	case engine.EventIncoming, engine.EventOutgoing:
		url := c.App.IncomingURL
		if c.Direction == engine.Out {
			url = c.App.OutgoingURL
		}
		return push(c, newCall, url, newCallFields(c))
	case engine.EventGathered:
		return push(c, dtmf, why.Data.URL, dtmfFields(c, why.Data.Digits))
	case engine.EventUnanswered:
		return push(c, noAnswer, why.Data.URL, noAnswerFields(c, why.Data.Cause))
	}
	return engine.Request{Name: string(why.Kind)}
}

// Notify words an answer or a hangup if the App subscribed to it, and events of
// ours.
func (d *Dialect) Notify(c engine.CallInfo, e engine.Event) []engine.Request {
	var told []engine.Request
	switch e.Kind {
	case engine.EventAnswered:
		if url, by := c.Dialect[OnAnswer], answeredBy(c, e); url != "" && by != nil {
			told = append(told, push(c, answer, url, answerFields(c, *by)))
		}
	case engine.EventEnded:
		if url := c.Dialect[OnHangup]; url != "" {
			told = append(told, push(c, hangup, url, hangupFields(c, e)))
		}
	}
	return append(told, extra(c, e)...)
}

// Default delivers the call by the account settings, whyever there is no
// program.
func (d *Dialect) Default(c engine.CallInfo, _ engine.Event, _ engine.Missing) engine.Program {
	return d.deliver(c)
}

// push is a request to the App. Its headers are those that sipgate sends, for
// apps and their firewalls may look at them: the User-Agent is sipgate's own
// word for word. The App's own headers come last and win.
func push(c engine.CallInfo, name, url string, fields form) engine.Request {
	h := http.Header{}
	h.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	h.Set("Accept", "application/xml, text/plain, text/html")
	h.Set("Accept-Charset", "utf-8")
	h.Set("User-Agent", "sipgate.io")
	for k, v := range c.App.Headers {
		h.Set(k, v)
	}
	return engine.Request{
		Name: name, Method: http.MethodPost, URL: url, Fallback: c.App.FallbackURL,
		Header: h, Body: []byte(fields.String()), Signature: signature, Unlogged: c.App.Unlogged,
		Policy: engine.Policy{Timeout: 10 * time.Second, Redirects: 3, SuccessFrom: http.StatusOK, SuccessTo: http.StatusOK},
	}
}

func newCallFields(c engine.CallInfo) form {
	var f form
	f.add("event", newCall)
	f.add("direction", string(c.Direction))
	f.add("callId", callID(c.ID))
	f.add("origCallId", callID(c.Chain))
	f.add("from", number(c.From))
	f.add("to", called(c))
	f.addUsers(c)
	f.add("xcid", xcid(c))
	f.addDiversion(c)
	return f
}

// addUsers adds whom a call is for. A voicemail has a name and no ids.
func (f *form) addUsers(c engine.CallInfo) {
	if to := c.Destination; to != nil && to.Kind == directory.KindVoicemail {
		f.add("user[]", "voicemail")
		return
	}
	users := c.Users[:min(len(c.Users), maxUsers)]
	if len(users) == 0 {
		// Customer code takes it for granted that these three are arrays.
		users = []directory.User{{}}
	}
	for _, u := range users {
		f.add("user[]", userName(u))
	}
	for _, u := range users {
		f.add("userId[]", u.ID)
	}
	for _, u := range users {
		f.add("fullUserId[]", fullUserID(c.Account, u))
	}
}

func dtmfFields(c engine.CallInfo, digits string) form {
	var f form
	f.add("event", dtmf)
	f.add("callId", callID(c.ID))
	if digits != "" || c.App.EmptyDTMF {
		f.add("dtmf", digits)
	}
	f.addChain(c)
	return f
}

func noAnswerFields(c engine.CallInfo, why engine.Cause) form {
	var f form
	f.add("event", noAnswer)
	f.add("cause", why.Words().Sipgate)
	f.add("callId", callID(c.ID))
	f.addParties(c, nil)
	f.addDiversion(c)
	f.addChain(c)
	return f
}

func answerFields(c engine.CallInfo, by directory.Address) form {
	var f form
	f.add("event", answer)
	f.add("callId", callID(c.ID))
	if c.Direction == engine.In {
		f.addUser(c, by)
	}
	f.addParties(c, &by)
	f.addDiversion(c)
	f.addChain(c)
	f.add("answeredBy", kindOf(by)) // of ours
	return f
}

func hangupFields(c engine.CallInfo, e engine.Event) form {
	cause := e.Data.Cause
	if cause == "" {
		cause = c.Cause
	}
	var f form
	f.add("event", hangup)
	f.add("cause", ended(c, cause))
	f.add("callId", callID(c.ID))
	f.addParties(c, c.AnsweredBy)
	f.addDiversion(c)
	f.addChain(c)
	return f
}

// congestion is a party that could not be reached.
const congestion = "congestion"

// ended is what a call's end is called. One that was established was reached, whatever
// of ours or of the network's ends it.
func ended(c engine.CallInfo, cause engine.Cause) string {
	word := cause.Words().Sipgate
	if word == congestion && c.AnsweredBy != nil {
		word = engine.CauseNormal.Words().Sipgate
	}
	return word
}

// answeredBy is the party that picked up; nil when it was only ourselves.
func answeredBy(c engine.CallInfo, e engine.Event) *directory.Address {
	if e.Data.Party != nil {
		return e.Data.Party
	}
	return c.AnsweredBy
}

// called is the number that was dialled: what the Call was made for, or when
// that is no number what the user dialled, or the user's who was called, or the one
// that is configured.
func called(c engine.CallInfo) string {
	for _, n := range []string{c.Dialled, c.To.Number, c.Number} {
		if number(c.To) == anonymous && directory.IsNumber(n) {
			return number(directory.NumberAddress(n))
		}
	}
	return number(c.To)
}

// answeringNumber is the number of who picked up, a user's the one at which it was
// reached. Where that has none it is the one that was called, which a call that was
// forwarded was not made to.
func answeringNumber(c engine.CallInfo, by directory.Address) string {
	switch n := number(by); {
	case n != anonymous:
		return n
	case directory.IsNumber(by.Number):
		return number(directory.NumberAddress(by.Number))
	case c.Direction == engine.In && directory.IsNumber(c.Number):
		return number(directory.NumberAddress(c.Number))
	}
	return called(c)
}

// number gives a party's number without plus, or "anonymous".
func number(a directory.Address) string {
	value := a.Value
	if a.Kind == directory.KindSIP {
		_, rest, _ := strings.Cut(value, ":")
		value, _, _ = strings.Cut(rest, "@")
	}
	if a.Kind == directory.KindUser || a.Kind == directory.KindVoicemail || a.Kind == directory.KindAnonymous || !directory.IsNumber(value) {
		return anonymous
	}
	return strings.TrimPrefix(directory.NormalizeNumber(value), "+")
}

// user finds the User that a party is.
func user(c engine.CallInfo, a directory.Address) (directory.User, bool) {
	if a.Kind != directory.KindUser {
		return directory.User{}, false
	}
	i := slices.IndexFunc(c.Users, func(u directory.User) bool { return u.ID == a.Value })
	if i < 0 {
		return directory.User{ID: a.Value, Name: a.Name}, true
	}
	return c.Users[i], true
}

// userName is what a user is called; one without a name by its id.
func userName(u directory.User) string {
	if u.Name == "" {
		return u.ID
	}
	return u.Name
}

// fullUserID is a user's id behind the master SIP id of its account.
func fullUserID(account string, u directory.User) string {
	if u.ID == "" {
		return ""
	}
	return MasterSIPID(account) + u.ID
}

// MasterSIPID is the number that full ids of an account's users begin with, of
// seven digits. An account whose own id is all digits is its master SIP id (so one
// moved here from sipgate keeps its full ids); another's is made from its id and
// never changes: 1000000 and the FNV-1a hash modulo 9000000.
func MasterSIPID(account string) string {
	if account != "" && strings.Trim(account, "0123456789") == "" {
		return account
	}
	h := fnv.New32a()
	h.Write([]byte(account))
	return strconv.Itoa(int(1_000_000 + h.Sum32()%9_000_000))
}

// callID is an id as sipgate writes it: hexadecimal in upper case.
func callID(id engine.ID) string { return strings.ToUpper(id.Hex()) }

// xcid is the same for all calls of one chain: the second half of the first
// call's id, which is random.
func xcid(c engine.CallInfo) string { return c.Chain.Hex()[16:] }

var _ engine.Dialect = (*Dialect)(nil)
