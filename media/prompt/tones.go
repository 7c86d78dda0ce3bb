// SPDX-License-Identifier: MIT

package prompt

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/callwright/callwright/media/tone"
)

// toneDuration is how long a tone of a network sounds at least, in whole
// cadences: one that is heard too shortly is not recognised.
const toneDuration = 3 * time.Second

// Tones gives the tones of telephony as prompts. Those of networks are made once
// and shared. It is safe for use by many goroutines at once.
type Tones struct {
	country string

	mu   sync.Mutex
	made map[string]*media.Prompt
}

// NewTones makes Tones. A tone of a network without a country is that of the
// given one, which is one of tone.Countries.
func NewTones(country string) *Tones {
	return &Tones{country: country, made: make(map[string]*media.Prompt)}
}

// Prompt gives a tone by what an app calls it:
//
//   - ringing, busy, congestion or info, those of a network, or us/busy, the
//     one of another country. It lasts three seconds or a little more, and can
//     be played in a loop without a seam;
//   - beep, as before the recording of a voicemail;
//   - Hz and milliseconds, in the notation of tone.Parse: 1000/500.
//
// The error is for the app's developer, and says what there is.
func (t *Tones) Prompt(name string) (*media.Prompt, error) {
	if name != "" && strings.Trim(name[:1], "0123456789") == "" {
		p, err := tone.Parse(name)
		if err != nil {
			return nil, fmt.Errorf("make a tone: %w", err)
		}
		return FromSamples("tone:"+name, p.Samples()), nil
	}
	notation, atLeast := tone.Beep, time.Duration(0)
	if name != "beep" {
		country, plain, found := strings.Cut(name, "/")
		if !found {
			country, plain = t.country, name
		}
		if notation, atLeast = tone.Of(country, plain), toneDuration; notation == "" {
			return nil, unknownTone(name)
		}
		name = country + "/" + plain
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.made[name]; p != nil {
		return p, nil
	}
	p, err := tone.Parse(notation)
	if err != nil {
		return nil, fmt.Errorf("make the tone %s: %w", name, err)
	}
	made := FromSamples("tone:"+name, cadences(p, atLeast))
	t.made[name] = made
	return made, nil
}

// cadences repeats a pattern until it lasts long enough and fills whole frames,
// so that in a loop no silence is between them.
func cadences(p tone.Pattern, atLeast time.Duration) []int16 {
	times := 1
	for d := p.Duration(); atLeast > 0 && (time.Duration(times)*d < atLeast || time.Duration(times)*d%media.FrameDuration != 0); {
		times++
	}
	return slices.Repeat(p.Samples(), times)
}

func unknownTone(name string) error {
	return fmt.Errorf("there is no tone %.40q: write beep, %s, one of these of a country (%s) like us/busy, or Hz and milliseconds like 1000/500",
		name, strings.Join(tone.Names(), ", "), strings.Join(tone.Countries(), ", "))
}
