// SPDX-License-Identifier: MIT

package plane

import (
	"path/filepath"
	"testing"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/rtp"
	"github.com/callwright/callwright/media/tone"
)

// isSilent fails if a tone is heard anywhere.
func isSilent(t *testing.T, what string, samples []int16, hz float64) {
	t.Helper()
	if len(samples) == 0 {
		t.Fatalf("%s: nothing came at all", what)
	}
	for i, level := range tone.Levels(samples, hz) {
		if level > -40 {
			t.Fatalf("%s: %g Hz is at %.1f dB in frame %d", what, hz, level, i)
		}
	}
}

// Whoever is muted is heard by nobody, the tape included, and hears the others.
// His keys count. It lasts over a bridge to another shard and a re-INVITE.
func TestMute(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{Shards: 2})
	a, pa := f.call(media.PCMU)
	b, pb := f.call(media.PCMA)
	songs := map[*phone]float64{pa: 1000, pb: 440}
	f.run(7, songs)
	f.must(f.Mute(a, true))
	f.must(f.Mute(b, true))
	f.must(f.Bridge(a, b)) // one of them moves
	f.must(f.Mute(b, false))
	f.run(settle, songs)
	pa.heard, pb.heard = nil, nil
	f.run(50, songs)
	isSilent(t, "the other side", pb.sound(), 1000)
	hearsOnly(t, pa, 440, 1000)

	f.must(f.Connect(a, pa.remote()))
	path := filepath.Join(t.TempDir(), "1.wav")
	f.must(f.Record(a, media.RecordOptions{Path: path, What: media.RecordStereo}))
	f.run(50, songs)
	f.must(f.StopRecord(a))
	for _, id := range []media.StreamID{a, b} {
		f.want(id, media.Latched)
	}
	f.want(a, media.RecordEnded)
	tape := readWAV(t, path, 2)
	isSilent(t, "the tape", tape[0], 1000)
	hears(t, "what is heard, on the tape", tape[1][settle*media.FrameSize:], 440)

	pa.send(keyHeader(pa), []byte{5, 1, 0, 80})
	f.run(1, songs)
	if e := f.want(a, media.Digit); e.Digit != '5' {
		t.Errorf("key %c", e.Digit)
	}
	f.must(f.Mute(a, false))
	f.run(settle, songs)
	pb.heard = nil
	f.run(50, songs)
	hearsOnly(t, pb, 1000, 440)
}

// keyHeader is that of the next packet of a phone when it carries a key.
func keyHeader(p *phone) rtp.Header {
	h := p.header
	h.PayloadType, h.Marker = events, true
	p.header.Sequence++
	return h
}

// A muted party that has no telephone-event is still understood.
func TestMuteHearsTones(t *testing.T) {
	t.Parallel()
	f := setup(t, Config{})
	a, pa := f.callInBand(media.PCMU)
	b, pb := f.call(media.PCMU)
	f.must(f.Bridge(a, b))
	f.must(f.Mute(a, true))
	f.say(pa, keysAsTones(t, media.PCMU, "7#"), media.FrameSize)
	f.want(a, media.Latched)
	f.wantDigits(a, media.ByTone, "7#")
	pb.listen()
	for _, hz := range []float64{852, 1209, 941, 1477} {
		isSilent(t, "the other side", pb.sound(), hz)
	}
}
