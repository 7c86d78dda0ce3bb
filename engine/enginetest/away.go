// SPDX-License-Identifier: MIT

package enginetest

import (
	"context"

	"github.com/callwright/callwright/engine"
)

// Away are the Recordings of a database that finds no messages before Back is closed.
type Away struct {
	engine.Recordings
	Back chan struct{}
}

// Applied waits for Back.
func (a Away) Applied(ctx context.Context) error {
	select {
	case <-a.Back:
	case <-ctx.Done():
		select {
		case <-a.Back: // it is there all the same
		default:
			return ctx.Err()
		}
	}
	return nil
}

// Messages counts none before Back.
func (a Away) Messages(ctx context.Context, account, box string) (unheard, heard int, err error) {
	select {
	case <-a.Back:
		return a.Recordings.Messages(ctx, account, box)
	default:
		return 0, 0, nil
	}
}
