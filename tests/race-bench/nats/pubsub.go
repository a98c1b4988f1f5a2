package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// publish sends count messages and then waits until the server has read them all.
func publish(o options) error {
	// A larger write buffer than the default 32 KiB makes fewer, larger writes.
	nc, err := nats.Connect(o.url, append(o.tls(), nats.NoReconnect(), nats.WriteBufferSize(writeBuffer))...)
	if err != nil {
		return err
	}
	defer nc.Close()
	body := make([]byte, o.size)
	first := time.Now()
	for range o.count {
		if err := nc.Publish(o.subject, body); err != nil {
			return err
		}
	}
	if err := nc.FlushTimeout(10 * time.Minute); err != nil {
		return err
	}
	return report(o.count, first, time.Now())
}

// subscribe receives count messages, or what comes until nothing has come for a while.
func subscribe(o options) error {
	nc, err := connect(o)
	if err != nil {
		return err
	}
	defer nc.Close()
	switch o.style {
	case "", "callback":
		return subscribeByCallback(nc, o)
	case "channel":
		return subscribeByChannel(nc, o)
	}
	return fmt.Errorf("no such style: %s", o.style)
}

func subscribeByCallback(nc *nats.Conn, o options) error {
	var received atomic.Int64
	var first time.Time
	done := make(chan time.Time, 1)
	sub, err := nc.Subscribe(o.subject, func(*nats.Msg) {
		n := received.Add(1)
		if n == 1 {
			first = time.Now()
		}
		if n == int64(o.count) {
			done <- time.Now()
		}
	})
	if err != nil {
		return err
	}
	// Without limits of its own the client drops nothing: equal work.
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return err
	}
	if err := nc.Flush(); err != nil {
		return err
	}
	if err := ready(); err != nil {
		return err
	}
	seen := int64(0)
	for {
		select {
		case last := <-done:
			return report(o.count, first, last)
		case <-time.After(o.stall):
			now := received.Load()
			if now == seen && now > 0 {
				return fmt.Errorf("%d of %d messages were lost", int64(o.count)-now, o.count)
			}
			seen = now
		}
	}
}

func subscribeByChannel(nc *nats.Conn, o options) error {
	messages := make(chan *nats.Msg, o.count)
	if _, err := nc.ChanSubscribe(o.subject, messages); err != nil {
		return err
	}
	if err := nc.Flush(); err != nil {
		return err
	}
	if err := ready(); err != nil {
		return err
	}
	var first time.Time
	for n := range o.count {
		<-messages
		if n == 0 {
			first = time.Now()
		}
	}
	return report(o.count, first, time.Now())
}

func report(messages int, first, last time.Time) error {
	seconds := last.Sub(first).Seconds()
	return emit(map[string]any{
		"count":         messages,
		"seconds":       seconds,
		"rate":          float64(messages) / seconds,
		"first_unix_ns": first.UnixNano(),
		"last_unix_ns":  last.UnixNano(),
	})
}
