// SPDX-License-Identifier: MIT

package api

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
)

// A body that is cut off, or does not come, is the client's fault: it is told so, and
// no operator is.
func TestBodiesThatDoNotCome(t *testing.T) {
	t.Parallel()
	var log logText
	s := New(Config{Listen: "127.0.0.1:0", Logger: slog.New(slog.NewTextHandler(&log, nil))})
	s.http.ReadTimeout = 200 * time.Millisecond
	s.Mount("/face", face(func(g *echo.Group) {
		g.POST("", func(c echo.Context) error {
			body, err := ReadBody(c.Request())
			if err != nil {
				return err
			}
			return c.Blob(http.StatusOK, "text/plain", body)
		})
	}))
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Shutdown(context.Background()) })
	for _, tt := range []struct {
		name, sent string
		ends       bool // the client says that it sends no more
		status     int
		says       string
	}{
		{"whole", "Content-Length: 2\r\n\r\n{}", false, 200, "{}"},
		{"cut off", "Content-Length: 100\r\n\r\n{", true, 400, "the body is not what its length or its chunks say (unexpected EOF); send all of it"},
		{"bad chunks", "Transfer-Encoding: chunked\r\n\r\nx", true, 400, "send all of it"},
		{"slow", "Content-Length: 100\r\n\r\n{", false, 408, "the body did not come within 30s; send it at once"},
	} {
		conn, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "POST /face HTTP/1.1\r\nHost: x\r\n"+tt.sent)
		if tt.ends {
			conn.(*net.TCPConn).CloseWrite()
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		text, _ := io.ReadAll(answer.Body)
		if answer.StatusCode != tt.status || !strings.Contains(string(text), tt.says) {
			t.Errorf("%s: got %d %s, want %d %s", tt.name, answer.StatusCode, text, tt.status, tt.says)
		}
	}
	if log.String() != "" {
		t.Errorf("the operator is told:\n%s", log.String())
	}
}
