// SPDX-License-Identifier: MIT

// Package resample brings sound of any usual rate to the 8000 samples a second
// that telephones speak.
//
// It is one low-pass filter, a sinc in a Kaiser window, of which each sample
// that comes out takes every so many coefficients (a polyphase filter). What is
// above 4000 Hz, and would come back as a whistle below it, is taken away
// before; what a telephone can carry, up to 3400 Hz, passes unchanged.
//
// It works on pieces of any length and keeps a few milliseconds of them. It is
// meant for prompts while they are loaded, off the media clock. Read
// resample.go first, then filter.go.
package resample
