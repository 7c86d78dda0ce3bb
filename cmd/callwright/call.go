// SPDX-License-Identifier: MIT

package main

import (
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/testcall"
	"github.com/callwright/callwright/media"
)

type callCommand struct {
	To       string        `arg:"" optional:"" help:"Whom to call: a SIP URI (${default})." default:"sip:100@127.0.0.1:5060"`
	From     string        `help:"The number that is shown (${default_from}, or the user name)." placeholder:"NUMBER"`
	Username string        `help:"User name, if the other side asks for one." placeholder:"NAME"`
	Password string        `help:"Password, if the other side asks for one; better in the environment." env:"SIP_PASSWORD" placeholder:"WORD"`
	Digits   string        `help:"Keys to type, like 12w34#: w waits half a second, a comma two seconds." placeholder:"KEYS"`
	Play     string        `help:"Sound file to play: WAV or MP3." type:"path" placeholder:"FILE"`
	Tone     float64       `help:"Tone to play otherwise, in Hz; 0 is silence (${default})." default:"440" placeholder:"HZ"`
	Record   string        `help:"WAV file to make of what is heard." type:"path" placeholder:"FILE"`
	Duration time.Duration `help:"How long to stay from the first sound on, at least until all is typed and played (${default})." default:"10s" placeholder:"TIME"`
	Patience time.Duration `help:"How long it may ring (${default})." default:"30s" placeholder:"TIME"`
	Codec    string        `help:"What to offer: ${enum} (${default})." enum:"both,pcmu,pcma" default:"both" placeholder:"NAME"`
	Listen   string        `help:"Own address, with or without a port; otherwise the one that leads to the other side." placeholder:"ADDRESS"`
}

// Help teaches the command.
func (callCommand) Help() string {
	return `Places a call with a telephone of its own, prints what happens as it happens, hangs up, and says what was heard: tones, keys, silence, and packets lost or late. Ctrl-C hangs up.

The exit status is 0 when the call was answered, or something was heard before an answer, and nothing was wrong; 1 otherwise.

Examples:

  callwright call
  callwright call sip:100@127.0.0.1:5060 --digits 1234
  callwright call sip:+4921112345@192.168.1.10 --from 4930111111 --play hello.wav --record heard.wav
  callwright call sip:w1@127.0.0.1 --username alice --duration 1m --codec pcma`
}

// codecs are the codecs by the names that --codec has for them.
var codecs = map[string][]media.Codec{"pcmu": {media.PCMU}, "pcma": {media.PCMA}}

// Validate reads the flags.
func (c callCommand) Validate() error { return c.options().Check() }

// options gives the call of the flags.
func (c callCommand) options() testcall.Options {
	from := c.From
	if from == "" && c.Username == "" {
		from = defaultFrom
	}
	return testcall.Options{
		To: c.To, From: from, Username: c.Username, Password: c.Password,
		Digits: c.Digits, Tone: c.Tone, Play: c.Play, Record: c.Record,
		Duration: c.Duration, Patience: c.Patience, Codecs: codecs[c.Codec], Listen: c.Listen,
	}
}

// Run places the call.
func (c callCommand) Run(w *world) error { return testcall.Run(w.ctx, w.out, c.options()) }
