package monitor

import (
	"fmt"
	"log/slog"

	"golang.org/x/sys/unix"
)

// crowding tells when the ring of events is half full: then the kernel wakes who
// waits for it, and it is read before the next look is due. Nil never tells.
type crowding struct {
	half  chan struct{}
	epoll int
	end   int // an eventfd
	done  chan struct{}
}

// watchRing waits for the ring at fd. Without it the ring is read ten times a
// second all the same.
func watchRing(fd int, log *slog.Logger) *crowding {
	c, err := newCrowding(fd)
	if err != nil {
		log.Warn("a full ring of events is noticed late", "error", err)
		return nil
	}
	go c.run()
	return c
}

func newCrowding(fd int) (*crowding, error) {
	end, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("waiting for the ring: %w", err)
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		unix.Close(end)
		return nil, fmt.Errorf("waiting for the ring: %w", err)
	}
	c := &crowding{half: make(chan struct{}, 1), epoll: epoll, end: end, done: make(chan struct{})}
	for _, on := range []unix.EpollEvent{
		// Edges: that there is something to read is the usual state.
		{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(fd)},
		{Events: unix.EPOLLIN, Fd: int32(end)},
	} {
		if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, int(on.Fd), &on); err != nil {
			c.shut()
			return nil, fmt.Errorf("waiting for the ring: %w", err)
		}
	}
	return c, nil
}

func (c *crowding) run() {
	defer close(c.done)
	var events [2]unix.EpollEvent
	for {
		n, err := unix.EpollWait(c.epoll, events[:], -1)
		if err != nil && err != unix.EINTR {
			return
		}
		for _, e := range events[:max(n, 0)] {
			if e.Fd == int32(c.end) {
				return
			}
			select {
			case c.half <- struct{}{}:
			default: // it was not read since
			}
		}
	}
}

// noticed is where it tells.
func (c *crowding) noticed() <-chan struct{} {
	if c == nil {
		return nil
	}
	return c.half
}

func (c *crowding) close() {
	if c == nil {
		return
	}
	_, _ = unix.Write(c.end, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // cannot fail: the count is not at its end
	<-c.done
	c.shut()
}

func (c *crowding) shut() {
	unix.Close(c.epoll)
	unix.Close(c.end)
}
