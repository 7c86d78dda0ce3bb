// SPDX-License-Identifier: MIT

package dialog

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/emiago/sipgo/sip"

	"github.com/callwright/callwright/transport/sip/resolve"
	"github.com/callwright/callwright/transport/sip/stream"
)

// maxRequest is how long a request over UDP may be (RFC 3261 section 18.1.1).
const maxRequest = 1300

// transactions finds the sipgo transactions that messages belong to. sipgo's own
// layer does the same, but starts a goroutine for each message, so that messages
// overtake each other.
type transactions struct {
	mu     sync.Mutex
	server map[string]*serverTx
	client map[string]*clientTx
}

// clientTx is a request of ours that waits for its answer.
type clientTx struct {
	*sip.ClientTx
	// ack is what sipgo has acknowledged a refusal of an INVITE with. Only the
	// lane of the call touches it.
	ack sip.Message
	// lost is why its connection has ended, if it has.
	lost atomic.Pointer[error]
}

// acking is the connection of a request. It keeps the ACK.
type acking struct {
	sip.Connection
	tx *clientTx
}

// WriteMsg sends a message.
func (c acking) WriteMsg(m sip.Message) error {
	if req, ok := m.(*sip.Request); ok && req.IsAck() {
		c.tx.ack = m
	}
	return c.Connection.WriteMsg(m)
}

// serverTx is a request that we answer.
type serverTx struct {
	*sip.ServerTx
	// dialog is the call that the request began or belongs to, if any.
	dialog atomic.Pointer[Dialog]
	// answered says that a 2xx was sent, so that its ACK is the dialog's.
	answered atomic.Bool
	// acked says that the ACK for a refusal came. Only its lane touches it.
	acked bool
}

func newTransactions() *transactions {
	return &transactions{server: map[string]*serverTx{}, client: map[string]*clientTx{}}
}

func (t *transactions) findServer(key string) *serverTx {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.server[key]
}

func (t *transactions) findClient(key string) *clientTx {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.client[key]
}

func (t *transactions) terminateAll() {
	t.mu.Lock()
	var all []sip.Transaction
	for _, tx := range t.server {
		all = append(all, tx)
	}
	for _, tx := range t.client {
		all = append(all, tx)
	}
	t.mu.Unlock()
	for _, tx := range all {
		tx.Terminate()
	}
}

// answer begins to answer a request, over the connection it came by.
func (e *Endpoint) answer(key string, r *inbound, d *Dialog) (*serverTx, error) {
	tx := new(serverTx)
	tx.dialog.Store(d)
	tx.ServerTx = sip.NewServerTx(key, r.Request, &ordered{Connection: traced{r.conn, tx.traceSent}}, e.quiet)
	forget := onClose(r.conn, func(why error) {
		tx.Terminate()
		if d := tx.dialog.Load(); d != nil {
			e.lanes.do(d.callID, func() { d.lost(tx, why) })
		}
	})
	tx.OnTerminate(func(key string, _ error) {
		forget()
		e.tx.mu.Lock()
		defer e.tx.mu.Unlock()
		delete(e.tx.server, key)
	})
	e.tx.mu.Lock()
	e.tx.server[key] = tx
	e.tx.mu.Unlock()
	if err := tx.Init(); err != nil {
		tx.Terminate()
		return nil, fmt.Errorf("begin transaction: %w", err)
	}
	return tx, nil
}

func (tx *serverTx) traceSent(m sip.Message) {
	if d := tx.dialog.Load(); d != nil {
		d.trace(m, true)
	}
}

// acknowledged takes the ACK for a refusal. sipgo hands it to a channel and
// leaves a goroutine there until somebody reads it.
func (tx *serverTx) acknowledged(ack *sip.Request) {
	if tx.acked {
		return
	}
	tx.acked = true
	go func() {
		select {
		case <-tx.Acks():
		case <-tx.Done():
		}
	}()
	_ = tx.Receive(ack) // fails only for a method that it does not expect
}

// begin sends a request in a transaction of its own. ended is called once, when
// the transaction is over, with sip.ErrTransactionTimeout if nobody answered and
// sip.ErrTransactionTransport if the connection is gone. ended must not block.
func (e *Endpoint) begin(req *outbound, trace func(sip.Message), ended func(error)) (*clientTx, error) {
	if err := e.dispatch(req); err != nil {
		return nil, err
	}
	key, err := sip.ClientTxKeyMake(req)
	if err != nil {
		return nil, fmt.Errorf("send %s: %w", req.Method, err)
	}
	tx := new(clientTx)
	tx.ClientTx = sip.NewClientTx(key, req.Request, acking{traced{req.way.conn, trace}, tx}, e.quiet)
	forget := onClose(req.way.conn, tx.lose)
	tx.OnTerminate(func(key string, err error) {
		forget()
		e.tx.mu.Lock()
		delete(e.tx.client, key)
		e.tx.mu.Unlock()
		err = tx.why(err)
		e.judge(req.way.place, err)
		ended(err)
	})
	e.tx.mu.Lock()
	e.tx.client[key] = tx
	e.tx.mu.Unlock()
	if err := tx.Init(); err != nil {
		tx.Terminate()
		return nil, fmt.Errorf("send %s: %w", req.Method, err)
	}
	return tx, nil
}

// dispatch decides how a request goes, if that is not decided yet. One that is too
// long for UDP goes by TCP, if the other side takes that (RFC 3261 section
// 18.1.1).
func (e *Endpoint) dispatch(req *outbound) error {
	if req.way == nil {
		w, err := e.reach(req.hop)
		if err != nil {
			return fmt.Errorf("send %s: %w", req.Method, err)
		}
		req.way = w
	}
	req.way.take(req)
	if req.way.place.Network != "UDP" || req.hop.heard || len(req.String()) <= maxRequest {
		return nil
	}
	p := req.way.place
	p.Network = stream.TCP
	if e.resolver.Doubtful(p) {
		return nil
	}
	if w, err := e.open(e.ctx, p, req.hop.client, hurriedTimeout); err == nil {
		w.take(req)
	}
	return nil
}

// judge keeps in mind whether a place has answered.
func (e *Endpoint) judge(p resolve.Place, err error) {
	switch {
	case errors.Is(err, sip.ErrTransactionTimeout), errors.Is(err, sip.ErrTransactionTransport):
		e.resolver.Failed(p)
	default:
		e.resolver.Works(p)
	}
}

// onClose has f told when a connection has ended. forget takes that back.
func onClose(c sip.Connection, f func(error)) (forget func()) {
	if s, ok := c.(*stream.Conn); ok {
		return s.OnClose(f)
	}
	return func() {}
}

// lose ends a transaction whose connection has ended.
func (tx *clientTx) lose(why error) {
	tx.lost.Store(&why)
	tx.Terminate()
}

// why says how the transaction ended, which sipgo says was by err.
func (tx *clientTx) why(err error) error {
	if lost := tx.lost.Load(); lost != nil {
		return fmt.Errorf("%w (%w)", *lost, sip.ErrTransactionTransport)
	}
	return err
}

// receive hands a response to its transaction. sipgo passes it on through a
// channel with its lock held, where we throw it away: dialogs get all responses
// straight from the socket, in order. A refusal that comes again is acknowledged
// here: sipgo would wait for T2 before it did, and so would the call.
func receive(tx *clientTx, res *sip.Response) {
	if res.StatusCode >= 300 && tx.ack != nil {
		_ = tx.Connection().WriteMsg(tx.ack) // else it comes once more
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		tx.Receive(res)
	}()
	for {
		select {
		case <-tx.Responses():
		case <-done:
			return
		}
	}
}

// send sends an ACK, the one request without a transaction.
func (e *Endpoint) send(req *outbound, trace func(sip.Message)) error {
	if err := e.dispatch(req); err != nil {
		return err
	}
	return traced{req.way.conn, trace}.WriteMsg(req.Request)
}

// ordered is the connection that a request is answered by. sipgo's 100 Trying may
// be on its way just when we answer, and would come behind the answer, which is
// sent once more in its place: sipgo repeats what it sent last.
type ordered struct {
	sip.Connection
	mu     sync.Mutex
	answer *sip.Response // the last
}

// WriteMsg sends a response.
func (c *ordered) WriteMsg(m sip.Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if res, ok := m.(*sip.Response); ok && res.StatusCode != sip.StatusTrying {
		c.answer = res
	} else if ok && c.answer != nil {
		m = c.answer
	}
	return c.Connection.WriteMsg(m)
}

// traced is a connection that tells what is written to it.
type traced struct {
	sip.Connection
	sent func(sip.Message)
}

// WriteMsg sends a message and tells it.
func (c traced) WriteMsg(m sip.Message) error {
	err := c.Connection.WriteMsg(m)
	if err == nil {
		c.sent(m)
	}
	return err
}
