// SPDX-License-Identifier: MIT

// Package prompt makes sound ready to be played.
//
// A prompt is made once, off the media clock, in both G.711 codings and in
// whole frames, and is then shared by all the calls that play it: playing a
// frame of it is a copy.
//
// The package fetches nothing, opens no files and keeps nothing; it turns what
// others read into a media.Prompt, or into an error for the customer whose file
// it was. Read prompt.go first.
package prompt
