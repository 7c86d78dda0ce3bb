// SPDX-License-Identifier: MIT

package settings

import (
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/store"
)

// normal writes the name of an entry in its one form.
func normal(e directory.Entry) directory.Entry {
	switch e := e.(type) {
	case directory.App:
		e.Account = cmp.Or(e.Account, directory.DefaultAccount)
		return e
	case directory.User:
		e.Account = cmp.Or(e.Account, directory.DefaultAccount)
		return e
	case directory.Group:
		e.Account = cmp.Or(e.Account, directory.DefaultAccount)
		return e
	case directory.Number:
		e.Account, e.Number = cmp.Or(e.Account, directory.DefaultAccount), e.ID()
		return e
	case directory.Trunk:
		e.Account = cmp.Or(e.Account, directory.DefaultAccount)
		return e
	case directory.Token:
		e.Account = cmp.Or(e.Account, directory.DefaultAccount)
		return e
	}
	return e
}

// secret does something with the secret of an entry and gives the entry with
// what came of it. Place names the secret among all.
func secret(e directory.Entry, do func(secret, place string) (string, error)) (_ directory.Entry, err error) {
	if e == nil {
		return nil, nil
	}
	id := e.EntryID()
	place := fmt.Sprintf("%s/%s/%s", id.Kind, id.Account, id.ID)
	switch e := e.(type) {
	case directory.App:
		e.Secret, err = do(e.Secret, place)
		return e, err
	case directory.User:
		e.Password, err = do(e.Password, place)
		return e, err
	case directory.Trunk:
		e.Password, err = do(e.Password, place)
		return e, err
	case directory.Token:
		e.Secret, err = do(e.Secret, place)
		return e, err
	}
	return e, nil
}

// body writes an entry as it is kept; none is null.
func (k *Key) body(e directory.Entry) ([]byte, error) {
	e, err := secret(e, func(secret, place string) (string, error) { return k.seal(secret, place), nil })
	if err != nil {
		return nil, err
	}
	return json.Marshal(e)
}

// entry reads what body wrote; nil when that was none. The error is ErrKey when
// it was sealed with another key.
func (k *Key) entry(o store.Object) (directory.Entry, error) {
	e, err := decode(o)
	if err != nil || e == nil {
		return nil, err
	}
	return secret(e, k.open)
}

func decode(o store.Object) (directory.Entry, error) {
	if string(o.Body) == "null" {
		return nil, nil
	}
	switch o.Kind {
	case directory.EntryAccount:
		return read[directory.Account](o.Body)
	case directory.EntryApp:
		return read[directory.App](o.Body)
	case directory.EntryUser:
		return read[directory.User](o.Body)
	case directory.EntryGroup:
		return read[directory.Group](o.Body)
	case directory.EntryNumber:
		return read[directory.Number](o.Body)
	case directory.EntryTrunk:
		return read[directory.Trunk](o.Body)
	case directory.EntryToken:
		return read[directory.Token](o.Body)
	}
	return nil, fmt.Errorf("this version knows no %s", o.Kind)
}

func read[T directory.Entry](body []byte) (directory.Entry, error) {
	var e T
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, err
	}
	return e, nil
}
