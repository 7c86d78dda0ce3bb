// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/callwright/callwright/cmd/callwright/internal/dialects"
	"github.com/callwright/callwright/cmd/callwright/internal/send"
	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/webhook"
	"github.com/callwright/callwright/transport/webhook/signing"
)

// sendCommand has a command for each push.
type sendCommand struct {
	NewCall  sendNewCall  `cmd:"" name:"newCall" help:"Ask what to do with a call that begins."`
	DTMF     sendDTMF     `cmd:"" name:"dtmf" help:"Ask what to do about digits; URL is the onData of <Gather>."`
	NoAnswer sendNoAnswer `cmd:"" name:"noAnswer" help:"Ask what to do when nobody was reached; URL is the onNoAnswer of <Dial>."`
	Answer   sendAnswer   `cmd:"" name:"answer" help:"Tell that somebody picked up; URL is the onAnswer of <Response>."`
	Hangup   sendHangup   `cmd:"" name:"hangup" help:"Tell that the call ended; URL is the onHangup of <Response>."`
}

// Help teaches the command.
func (sendCommand) Help() string {
	return `Sends an app exactly what a call would, with the same headers and the same patience, prints what it answers, checks that as lint does, and says what would happen on the call. No telephone and no server is needed.

It goes on with the command lines for what comes next on such a call, so a whole dialogue can be tried by copying them.

The exit status is 0 when the answer is good, 1 when it is not or there is none.

Examples:

  callwright send newCall http://localhost:3000
  callwright send newCall http://localhost:3000 --from anonymous --user w0=Alice --user w1=Bob
  callwright send dtmf 'http://localhost:3000/?again=0' --digits 1234
  callwright send hangup http://localhost:3000 --cause busy`
}

// The parties of a call that nobody named.
const defaultFrom, defaultTo = "492111234567", "4915791234567"

// sendCall is what is said of the call in every push.
type sendCall struct {
	URL       string            `arg:"" help:"Where the app listens."`
	From      string            `help:"Who calls: a number, anonymous, or a SIP URI (${default})." default:"${default_from}" placeholder:"NUMBER"`
	To        string            `help:"The number that is called (${default})." default:"${default_to}" placeholder:"NUMBER"`
	Direction string            `help:"in for a call to one of our numbers, out for one that a user makes." enum:"in,out" default:"in"`
	CallID    string            `name:"call-id" help:"The id of the call, 32 hexadecimal digits; otherwise a new one." placeholder:"ID"`
	Diversion string            `help:"The number that was dialled before the call was diverted." placeholder:"NUMBER"`
	User      []string          `help:"A user of the number, like w0=Alice; may be given several times." sep:"none" placeholder:"ID=NAME"`
	Header    map[string]string `help:"A header that the app is to get, like X-Api-Key=abc; may be given several times." mapsep:"none" placeholder:"NAME=VALUE"`
	Key       string            `help:"Sign what is sent with this key: webhook-key.pem in the data_dir of the server." type:"path" placeholder:"FILE"`
}

type sendNewCall struct {
	sendCall
}

type sendDTMF struct {
	sendCall
	Digits string `help:"What was typed; empty when nothing was (${default})." default:"1" placeholder:"KEYS"`
}

type sendNoAnswer struct {
	sendCall
	Cause string `help:"Why nobody was reached: ${enum} (${default})." enum:"busy,noAnswer,congestion,notFound" default:"noAnswer" placeholder:"CAUSE"`
}

type sendAnswer struct {
	sendCall
	By string `help:"Who picked up: a user like w0=Alice, or a number (${default})." default:"w0" placeholder:"WHO"`
}

type sendHangup struct {
	sendCall
	Cause string `help:"Why the call ended: ${enum} (${default})." enum:"normalClearing,busy,cancel,noAnswer,congestion,notFound,forwarded" default:"normalClearing" placeholder:"CAUSE"`
	By    string `help:"Who had picked up: a user like w0=Alice, or a number; otherwise nobody." placeholder:"WHO"`
}

// Run asks what to do with a new call.
func (s sendNewCall) Run(w *world) error { return s.send(w, send.Push{Name: send.NewCall}, "") }

// Run asks about digits.
func (s sendDTMF) Run(w *world) error {
	return s.send(w, send.Push{Name: send.DTMF, Digits: s.Digits}, "")
}

// Run asks what to do when nobody was reached.
func (s sendNoAnswer) Run(w *world) error {
	return s.send(w, send.Push{Name: send.NoAnswer, Cause: send.Cause(s.Cause)}, "")
}

// Run tells of an answer.
func (s sendAnswer) Run(w *world) error { return s.send(w, send.Push{Name: send.Answer}, s.By) }

// Run tells of an end.
func (s sendHangup) Run(w *world) error {
	return s.send(w, send.Push{Name: send.Hangup, Cause: send.Cause(s.Cause)}, s.By)
}

// Validate reads the flags.
func (s sendDTMF) Validate() error {
	if strings.Trim(s.Digits, "0123456789*#") != "" {
		return fmt.Errorf("--digits is %q: write keys of a telephone, 0 to 9, * and #", s.Digits)
	}
	return s.sendCall.Validate()
}

// Validate reads the flags.
func (s sendAnswer) Validate() error {
	if s.By == "" {
		return errors.New("--by is empty: say who picked up, a user like w0=Alice or a number")
	}
	return s.sendCall.Validate()
}

// Validate reads the flags.
func (s sendCall) Validate() error {
	if s.URL != "" && !directory.IsURL(s.URL) { // without any, more than this is said
		return fmt.Errorf("the URL is %q: write a whole one, like http://localhost:3000", s.URL)
	}
	_, err := s.call()
	return err
}

// send completes a push with the call that it is about, and sends it.
func (s sendCall) send(w *world, p send.Push, by string) (err error) {
	if p.Call, err = s.call(); err != nil {
		return err
	}
	if by != "" {
		a := send.User(by).Address()
		if directory.IsNumber(by) {
			a = directory.NumberAddress(by)
		}
		p.By = &a
	}
	p.URL, p.Flags = s.URL, s.flags()
	client, err := s.client()
	if err != nil {
		return err
	}
	defer client.Close()
	good, err := send.Do(w.ctx, w.out, client, dialects.All()[dialects.Default], p)
	switch {
	case err != nil:
		return err
	case w.ctx.Err() != nil:
		return fmt.Errorf("broken off: %w", context.Cause(w.ctx))
	case !good:
		return exit(1)
	}
	return nil
}

// client makes what sends it, and signs if there is a key.
func (s sendCall) client() (*webhook.Client, error) {
	c := webhook.Config{AllowPrivate: true, AllowLoopback: true}
	if s.Key != "" {
		text, err := os.ReadFile(s.Key)
		if err != nil {
			return nil, fmt.Errorf("--key: %w", err)
		}
		if c.Signer, err = signing.Parse(text); err != nil {
			return nil, fmt.Errorf("--key %s: %w", s.Key, err)
		}
	}
	return webhook.New(c), nil
}

// flags gives those that a user of the default would leave out.
func (s sendCall) flags() (flags []string) {
	for _, f := range []struct{ name, value, otherwise string }{
		{"from", s.From, defaultFrom}, {"to", s.To, defaultTo}, {"direction", s.Direction, string(engine.In)}, {"diversion", s.Diversion, ""}, {"key", s.Key, ""},
	} {
		if f.value != f.otherwise {
			flags = append(flags, "--"+f.name+"="+f.value)
		}
	}
	for _, user := range s.User {
		flags = append(flags, "--user="+user)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Header)) {
		flags = append(flags, "--header="+name+"="+s.Header[name])
	}
	return flags
}

// call makes the call of the flags.
func (s sendCall) call() (c engine.CallInfo, err error) {
	id := engine.NewID()
	if s.CallID != "" {
		if id, err = engine.ParseID(s.CallID); err != nil {
			return c, fmt.Errorf("--call-id: %w", err)
		}
	}
	c = engine.CallInfo{App: directory.App{Headers: s.Header}, Record: engine.Record{
		ID: id, Chain: id, Account: directory.DefaultAccount, Direction: engine.Direction(s.Direction), Diversion: s.Diversion,
	}}
	if c.From, err = send.Party(s.From); err != nil {
		return c, fmt.Errorf("--from: %w", err)
	}
	if c.To, err = send.Party(s.To); err != nil {
		return c, fmt.Errorf("--to: %w", err)
	}
	if s.Diversion != "" && !directory.IsNumber(s.Diversion) { // a call's own is left out then
		return c, fmt.Errorf("--diversion is %q: write a number like 492111234567", s.Diversion)
	}
	for _, user := range s.User {
		u := send.User(user)
		if u.ID == "" {
			return c, fmt.Errorf("--user is %q: write its id, like w0 or w0=Alice", user)
		}
		c.Users = append(c.Users, u)
	}
	return c, nil
}
