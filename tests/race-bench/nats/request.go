package main

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// writeBuffer is the flush threshold given to connections that send much.
const writeBuffer = 256 * 1024

// reply answers every request with its own body until it is stopped.
func reply(o options) error {
	nc, err := connect(o)
	if err != nil {
		return err
	}
	defer nc.Close()
	sub, err := nc.Subscribe(o.subject, func(m *nats.Msg) {
		if err := nc.Publish(m.Reply, m.Data); err != nil {
			panic(err)
		}
	})
	if err != nil {
		return err
	}
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return err
	}
	if err := nc.Flush(); err != nil {
		return err
	}
	if err := ready(); err != nil {
		return err
	}
	untilStopped()
	return nil
}

// request makes count requests and keeps window of them outstanding.
func request(o options) error {
	nc, err := connect(o)
	if err != nil {
		return err
	}
	defer nc.Close()
	switch o.style {
	case "", "inbox":
		return requestByInbox(nc, o)
	case "call":
		return requestByCall(nc, o)
	}
	return fmt.Errorf("no such style: %s", o.style)
}

// requestByCall uses Conn.Request, in one goroutine per request outstanding.
func requestByCall(nc *nats.Conn, o options) error {
	body := make([]byte, o.size)
	each := o.count / o.window
	took := make([][]time.Duration, o.window)
	errs := make([]error, o.window)
	var all sync.WaitGroup
	first := time.Now()
	for w := range o.window {
		all.Go(func() {
			took[w] = make([]time.Duration, 0, each)
			for range each {
				asked := time.Now()
				if _, err := nc.Request(o.subject, body, 5*time.Second); err != nil {
					errs[w] = err
					return
				}
				took[w] = append(took[w], time.Since(asked))
			}
		})
	}
	all.Wait()
	last := time.Now()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return reportRequests(slices.Concat(took...), first, last)
}

// requestByInbox keeps one inbox subscription and asks the next thing in the callback that got a reply: no channel,
// no goroutine and no timer per request.
func requestByInbox(nc *nats.Conn, o options) error {
	body := make([]byte, o.size)
	inbox := nats.NewInbox() + "."
	replies := make([]string, o.window)
	for slot := range replies {
		replies[slot] = inbox + strconv.Itoa(slot)
	}
	asked := make([]time.Time, o.window)
	took := make([]time.Duration, 0, o.count)
	sent := 0
	done := make(chan error, 1)
	ask := func(slot int) {
		sent++
		asked[slot] = time.Now()
		if err := nc.PublishRequest(o.subject, replies[slot], body); err != nil {
			done <- err
		}
	}
	begin := make(chan struct{})
	sub, err := nc.Subscribe(inbox+"*", func(m *nats.Msg) {
		<-begin
		slot, err := strconv.Atoi(m.Subject[len(inbox):])
		if err != nil || m.Header != nil {
			done <- fmt.Errorf("not a reply: %s %v", m.Subject, m.Header)
			return
		}
		took = append(took, time.Since(asked[slot]))
		if sent < o.count {
			ask(slot)
		} else if len(took) == o.count {
			done <- nil
		}
	})
	if err != nil {
		return err
	}
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return err
	}
	if err := nc.Flush(); err != nil {
		return err
	}
	first := time.Now()
	for slot := range min(o.window, o.count) {
		ask(slot)
	}
	close(begin)
	select {
	case err := <-done:
		if err != nil {
			return err
		}
	case <-time.After(10 * time.Minute):
		return fmt.Errorf("replies are missing")
	}
	return reportRequests(took, first, time.Now())
}

func reportRequests(took []time.Duration, first, last time.Time) error {
	slices.Sort(took)
	at := func(quantile float64) float64 {
		return float64(took[min(len(took)-1, int(quantile*float64(len(took))))].Nanoseconds()) / 1e3
	}
	seconds := last.Sub(first).Seconds()
	return emit(map[string]any{
		"count":   len(took),
		"seconds": seconds,
		"rate":    float64(len(took)) / seconds,
		"p50_us":  at(0.50),
		"p99_us":  at(0.99),
		"p999_us": at(0.999),
		"max_us":  at(1),
	})
}
