// SPDX-License-Identifier: MIT

// Package prompt makes sound ready to be played: files (Decode), samples
// (FromSamples) and the tones of telephony (Tones).
//
// A prompt is made once, off the media clock, in both G.711 codings and in
// whole frames, and is then shared by all the calls that play it: playing a
// frame of it is a copy. Files may be WAV or MP3, of any rate and any number of
// channels; they are read piece by piece.
//
// The package fetches nothing, and opens only what an operator or the server itself
// named on this machine (Files); it turns what others read into a media.Prompt, or
// into an error for the customer whose file it was. Read prompt.go first.
package prompt
