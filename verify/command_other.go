//go:build !linux

package verify

import (
	"context"
	"errors"
)

func (o Options) start(ctx context.Context, s setting) (*process, error) {
	switch {
	case len(o.Docker) > 0:
		return o.startDocker(ctx, s)
	case len(o.Command) > 0:
		return nil, errors.New("a command is verified on Linux only")
	}
	return nil, errNothing
}
