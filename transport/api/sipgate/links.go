// SPDX-License-Identifier: MIT

package sipgate

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/callwright/callwright/engine"
	"github.com/callwright/callwright/transport/api"
)

// linkLife is how long a link leads to its recording. History gives a fresh one
// whenever it is asked.
const linkLife = 7 * 24 * time.Hour

// retryAfter is in how many seconds to ask again when the database was away.
const retryAfter = "5"

// Links are URLs by which whoever has one can fetch a recording, without a token.
// Nobody can guess one, and after a week it leads nowhere.
type Links struct {
	base string
	key  []byte
}

// NewLinks makes Links to a face that is reached at a URL ("https://host/v2"). The
// key is a secret of the server.
func NewLinks(base string, key []byte) *Links { return &Links{base, key} }

// URL gives a link to a recording.
func (l *Links) URL(r engine.Recording) string {
	until := strconv.FormatInt(time.Now().Add(linkLife).Unix(), 10)
	return fmt.Sprintf("%s/recordings/%s/%s.wav?expires=%s&signature=%s",
		l.base, url.PathEscape(r.Account), r.ID, until, l.sign(r.Account, r.ID, until))
}

// sign ties a recording to a time. What is signed can be read in one way only: an
// account's id is the last of three.
func (l *Links) sign(account string, id engine.ID, until string) string {
	m := hmac.New(sha256.New, l.key)
	fmt.Fprintf(m, "%s %s %s", id.Hex(), until, account) // a hash takes everything
	return hex.EncodeToString(m.Sum(nil))
}

// allows says whether a link was made here, and its time is not over.
func (l *Links) allows(account string, id engine.ID, query url.Values) bool {
	until := query.Get("expires")
	if !hmac.Equal([]byte(l.sign(account, id, until)), []byte(query.Get("signature"))) {
		return false
	}
	unix, err := strconv.ParseInt(until, 10, 64)
	return err == nil && time.Now().Unix() < unix
}

// playRecording is GET /recordings/{account}/{id}.wav?expires=&signature=.
func (f *Face) playRecording(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	account, err := c.Param("account"), error(nil)
	if c.Request().URL.RawPath != "" { // then the router has not unescaped it
		account, err = url.PathUnescape(account)
	}
	id, bad := engine.ParseID(strings.TrimSuffix(c.Param("id"), ".wav"))
	if err != nil || bad != nil || !f.config.Links.allows(account, id, c.QueryParams()) {
		return api.Refuse(http.StatusForbidden, "this link to a recording is wrong, or older than %d days: GET /v2/history gives a fresh one", linkLife/(24*time.Hour))
	}
	recording, err := f.config.Recordings.Recording(c.Request().Context(), account, id)
	if api.Missing(err) {
		return api.Refuse(http.StatusNotFound, "there is no such recording any more")
	}
	if err != nil {
		c.Response().Header().Set(echo.HeaderRetryAfter, retryAfter)
		return away(err)
	}
	sound, err := api.OpenSound(f.config.Folder, recording)
	if err != nil {
		return err
	}
	defer sound.Close()
	return sound.Serve(c)
}
