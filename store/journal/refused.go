// SPDX-License-Identifier: MIT

package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/callwright/callwright/engine"
)

// refused is one line of a file of changes that the database does not take.
type refused struct {
	At     time.Time       `json:"at"`
	Why    string          `json:"why"`
	Change json.RawMessage `json:"change"`
}

// PutAside keeps a change that the database will never take in a file beside
// the journal, a line of JSON each, and gives the path of the file. The change
// is safe from a crash of the machine then.
func (j *Journal) PutAside(c engine.Change, why error) (path string, err error) {
	now := time.Now().UTC()
	text, err := encode([]engine.Change{c})
	if err != nil {
		text, _ = json.Marshal(fmt.Sprintf("%T %+v", c, c)) // a string always can
	}
	line, err := json.Marshal(refused{now, why.Error(), text})
	if err != nil {
		return "", fmt.Errorf("put a refused change aside: %w", err)
	}
	path = filepath.Join(j.folder, "refused-"+now.Format(time.DateOnly)+".jsonl")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return "", fmt.Errorf("put a refused change aside: %w", err)
	}
	_, err = f.Write(append(line, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close(), syncFolder(j.folder)); err != nil {
		return "", fmt.Errorf("put a refused change aside: %w", err)
	}
	return path, nil
}
