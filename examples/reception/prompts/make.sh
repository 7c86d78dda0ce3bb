#!/bin/sh
# Speaks the prompts of the sample app: 8 kHz, mono, 16 bit, the one kind of WAV
# file that sipgate.io plays. Needs espeak-ng and sox. Run it by `go generate`,
# or with another folder to put them in.
set -eu
cd "${1:-$(dirname "$0")}"

say() { # say NAME TEXT
	spoken=$(mktemp "${TMPDIR:-/tmp}/prompt-XXXXXX.wav")
	espeak-ng -v en-us+f3 -s 170 -p 45 -w "$spoken" "$2"
	# Cut the silence before and after, leave a breath at the end.
	sox -D "$spoken" -c 1 -b 16 "$1.wav" highpass 120 rate 8000 \
		silence 1 0.01 0.5% reverse silence 1 0.01 0.5% reverse pad 0 0.08 norm -4
	rm "$spoken"
}

say greeting "Welcome to call wright. Please type one two three four."
say again "That was not it. Please try again."
say goodbye "One two three four it is. Your first call works. Goodbye!"
