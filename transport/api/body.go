// SPDX-License-Identifier: MIT

package api

import (
	"errors"
	"io"
	"net/http"
	"os"
)

// ReadBody reads the body of a request. One that does not come as it was announced
// is the client's fault, and the error is the answer to that.
func ReadBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return body, nil
	case errors.As(err, &tooLarge):
		return nil, err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, Refuse(http.StatusRequestTimeout, "the body did not come within %s; send it at once", readTimeout)
	}
	return nil, Refuse(http.StatusBadRequest, "the body is not what its length or its chunks say (%s); send all of it", err)
}
