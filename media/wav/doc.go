// SPDX-License-Identifier: MIT

// Package wav reads and writes RIFF WAVE files.
//
// Reader takes apart whatever calls itself WAV, also where it is cut short or
// sloppy, and gives the coded sound as it is, or as samples of 16 bits.
// Format.Readable decides what can be decoded, in words for the customer whose
// file it is. Writer keeps the file readable at all times, so that a recording
// outlives a killed process.
//
// It never allocates by a length that a file claims, does not resample and
// opens no files. Who reads from strangers limits what is read. Read
// format.go first.
package wav
