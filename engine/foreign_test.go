// SPDX-License-Identifier: MIT

package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/engine"
)

// Whoever asks for the number of another account is told what it is told of one that
// nobody has: which numbers others have is not to be found out.
func TestForeignNumbersAreAsUnknown(t *testing.T) {
	t.Parallel()
	const theirs, nobodys = "+4930777", "+4930778"
	told := func(t *testing.T, called string) (answers []string) {
		synctest.Test(t, func(t *testing.T) {
			h := apiHouse(t, func(c *engine.Config) {
				e := entries
				e.Accounts = []directory.Account{{ID: "acme"}}
				e.Users = []directory.User{{ID: "w0", App: "app"}, {ID: "w1"}, {ID: "w0", Account: "acme"}}
				e.Numbers = append([]directory.Number{{Number: theirs, Account: "acme", Users: []string{"w0"}}}, e.Numbers...)
				must(t, c.Directory.Replace(e))
			})
			tell := func(err error) {
				text := "done"
				if err != nil {
					text = strings.ReplaceAll(err.Error(), called, "NUMBER")
				}
				answers = append(answers, text)
			}
			_, err := h.Engine.Originate(engine.Origination{Caller: ann, Callee: "w1", CallerID: called})
			tell(err)
			id, err := h.Engine.Originate(engine.Origination{Caller: ann, Callee: "w1"})
			must(t, err)
			synctest.Wait()
			tell(h.Engine.Transfer(id, engine.TransferOrder{To: "w1", CallerID: called}))
			tell(h.Engine.Transfer(id, engine.TransferOrder{To: called}))
			time.Sleep(2 * time.Minute)
			equal(t, "who was to be transferred there talks on", talk(t, h).ID, id)
			must(t, h.Engine.EndCall(id))
			_, err = h.Engine.Originate(engine.Origination{Caller: ann, Callee: called})
			tell(err)
			time.Sleep(2 * time.Minute)
			equal(t, "living", h.Engine.Living(), 0)
			h.Close(t)
		})
		return answers
	}
	foreign, unknown := told(t, theirs), told(t, nobodys)
	equal(t, "of a foreign number as of an unknown one", foreign, unknown)
	const own = "NUMBER cannot be shown: it is no number of the account"
	equal(t, "what that is", unknown, []string{own, own, "done", "done"})
}
