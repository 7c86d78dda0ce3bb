// SPDX-License-Identifier: MIT

// Package mp3 decodes MPEG audio of layer III: MPEG-1 (ISO/IEC 11172-3), its
// lower sampling frequencies MPEG-2 (ISO/IEC 13818-3), and MPEG-2.5, which goes
// down to the 8000 Hz of telephones.
//
// Its output is one channel, the mean of two: it is made for prompts. It reads
// files as they are found: with tags before and behind, cut off, damaged in the
// middle. Whatever the bytes are, it neither panics nor takes more than a few
// dozen kilobytes at once. A frame that cannot be decoded is left out; only a file
// without any frames is an error. It knows no free bit rates, which encoders make
// only when told to.
//
// A file goes through it as in the standard: frames.go finds frames, side.go and
// scale.go read how a frame is coded, spectrum.go its values, stereo.go splits
// the channels, hybrid.go and synthesis.go make sound of frequencies. Read
// decoder.go first.
package mp3
