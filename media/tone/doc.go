// SPDX-License-Identifier: MIT

// Package tone makes sines and measures them, at 8000 samples a second, and
// knows the tones of telephone networks: ringing, busy and others, by country.
//
// Levels are in decibels relative to full scale: 0 dB is the loudest sine that
// 16-bit samples can hold. ZeroDBm0 leads from there to the levels of
// telephony.
//
// The measuring is meant for a verdict on what was heard, in tests, the demo
// and reports. It takes its time and allocates; it never runs on the media
// clock, and it is no detector of keys. Read make.go first,
// then pattern.go and countries.go.
package tone
