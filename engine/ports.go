// SPDX-License-Identifier: MIT

package engine

import (
	"context"
	"time"

	"github.com/callwright/callwright/media"
)

// Sound is the media plane as a Call sees it. Nothing here waits; what comes of
// it is told by the stream's leg as LegMedia. All methods fail with
// media.ErrNoStream once a stream is closed: the end of its leg is then on its
// way.
type Sound interface {
	// Play has a stream's party hear a prompt, in place of what plays now. A
	// party that is bridged hears the other again when the prompt has ended.
	Play(media.StreamID, *media.Prompt, media.PlayOptions) error
	// StopPlay ends what plays.
	StopPlay(media.StreamID) error
	// Bridge has two parties hear each other until one stream is closed.
	Bridge(a, b media.StreamID) error
	// Unbridge ends the bridge that a stream is in, if it is in one.
	Unbridge(media.StreamID) error
	// Mute has nobody hear a stream's party, neither the other side nor a recording,
	// until it is called with false. The keys that it presses count.
	Mute(id media.StreamID, on bool) error
}

// Recorder records streams, as Sound plays to them. One recording of a stream
// at a time; its end is told by the leg as LegMedia.
type Recorder interface {
	// Record begins to record.
	Record(media.StreamID, media.RecordOptions) error
	// PauseRecord leaves out what is said until it is called with false.
	PauseRecord(id media.StreamID, pause bool) error
	// StopRecord ends the recording.
	StopRecord(media.StreamID) error
	// LookAtRecording gives how long a file is whose end nobody was told, and for how
	// long somebody is heard in it. It reads all of it.
	LookAtRecording(path string) (length, heard time.Duration, err error)
}

// Fetcher asks customers' servers.
type Fetcher interface {
	// Fetch sends a request, tries its fallback if need be, and gives what came
	// of it. A failure is in Reply.Err.
	Fetch(context.Context, Request) Reply
}

// Prompts gives sound by where it lies.
type Prompts interface {
	// Prompt gives the sound file at a URL, ready to be played. The error is a
	// sentence for the customer: what is wrong with the file and what to do.
	Prompt(ctx context.Context, url string) (*media.Prompt, error)
}

// MaxSpeech is how many characters of text can be spoken at once. They sound for
// about five minutes.
const MaxSpeech = 4096

// Speech is text to be spoken.
type Speech struct {
	Text string
	// Language is a tag of BCP 47 ("de-DE"); empty is the server's.
	Language string
	// Voice is what the Speaker calls one; empty is that of the language.
	Voice string
}

// Speaker makes sound of text.
type Speaker interface {
	// Speak gives the sound, ready to be played, of a text that an account wants. The
	// error is a sentence for the customer: what is wrong with the text or what is
	// missing, and what to do.
	Speak(ctx context.Context, account string, what Speech) (*media.Prompt, error)
}

// Indicator lets phones show that messages wait (RFC 3842).
type Indicator interface {
	// Indicate tells the phones of a User how many messages it has not heard yet,
	// and how many it has. It does not wait.
	Indicate(account, user string, unheard, heard int)
}

// Recordings is stored audio as it can be found again. The errors are
// fs.ErrNotExist for what is not there, or why nothing can be read.
type Recordings interface {
	// Recording gives one of an account.
	Recording(ctx context.Context, account string, id ID) (Recording, error)
	// Applied returns when all that was appended to the Journal before is found, and
	// however long the database is away. Its error is that of ctx, or that the server
	// stops.
	Applied(ctx context.Context) error
	// Messages counts those in a box.
	Messages(ctx context.Context, account, box string) (unheard, heard int, err error)
}

// Location says where Users can be rung.
type Location interface {
	// Contacts gives where a User's phones are now: a place each, in words that
	// the Dialer understands (Target.Contact). None means that it is offline.
	Contacts(account, user string) []string
}
