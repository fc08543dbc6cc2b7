package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// Container is a container that docker runs for a recording or a run.
type Container struct {
	ID string
	p  *process
}

// Start runs a container with the engine's own list, for a recording.
func Start(ctx context.Context, o Options) (*Container, error) {
	id, p, err := o.docker(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &Container{ID: id, p: p}, nil
}

// Probe waits until the container works, as a run does.
func (c *Container) Probe(ctx context.Context, o Options) error {
	e := experiment{o: o}
	return e.judge(ctx, c.p)
}

// Remove ends and removes the container.
func (c *Container) Remove() error { return c.p.stop() }

func (o Options) startDocker(ctx context.Context, s setting) (*process, error) {
	flags := []string{"--cap-drop=ALL"}
	for _, name := range s.capabilities {
		flags = append(flags, "--cap-add="+name)
	}
	if s.readOnly != nil {
		flags = append(flags, "--read-only")
		for _, dir := range s.readOnly.Tmpfs {
			flags = append(flags, "--tmpfs="+dir)
		}
	}
	o.NoNewPrivileges = s.quiet
	_, p, err := o.docker(ctx, flags)
	return p, err
}

// docker runs the container in the background.
func (o Options) docker(ctx context.Context, flags []string) (string, *process, error) {
	args := append([]string{"run", "--detach"}, flags...)
	if o.NoNewPrivileges {
		args = append(args, "--security-opt=no-new-privileges")
	}
	if o.Seccomp != "" {
		args = append(args, "--security-opt=seccomp="+o.Seccomp)
	}
	id, err := docker(ctx, append(args, o.Docker...)...)
	if err != nil {
		// A container whose program could not be started is left behind.
		return "", nil, errors.Join(err, removeNamed(id))
	}
	p := &process{ended: make(chan struct{})}
	address, image := inspect(ctx, id)
	p.env, p.image = []string{"ADVISOR_CONTAINER=" + id, "ADVISOR_ADDRESS=" + address}, image
	o.follow(id, p)
	return id, p, nil
}

func removeNamed(id string) error {
	if len(id) != 64 {
		return nil
	}
	_, err := docker(context.Background(), "rm", "--force", "--volumes", id)
	return err
}

// follow waits for the end of a container.
func (o Options) follow(id string, p *process) {
	ended := make(chan struct{})
	code := -1
	go func() {
		defer close(ended)
		if text, err := docker(context.Background(), "wait", id); err == nil {
			code, _ = strconv.Atoi(text)
		}
	}()
	p.ended = ended
	p.code = func() int { return code }
	p.last = func() string {
		out, _ := exec.Command("docker", "logs", "--tail", "1", id).CombinedOutput()
		return string(bytes.TrimSpace(out))
	}
	p.stop = func() error {
		err := removeNamed(id)
		<-ended
		return err
	}
}

// inspect gives a container's first address, empty where it has none, and its
// image as it was named.
func inspect(ctx context.Context, id string) (address, image string) {
	const format = "{{.Config.Image}}{{range .NetworkSettings.Networks}} {{.IPAddress}}{{end}}"
	text, err := docker(ctx, "inspect", "--format", format, id)
	fields := strings.Fields(text)
	if err != nil || len(fields) == 0 {
		return "", ""
	}
	return strings.Join(fields[1:min(2, len(fields))], ""), fields[0]
}

// docker runs the client and returns the last line of its output, also where it
// fails.
func docker(ctx context.Context, args ...string) (string, error) {
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	text := strings.TrimSpace(out.String())
	text = text[strings.LastIndexByte(text, '\n')+1:]
	if err != nil {
		return text, fmt.Errorf("docker %s: %w: %s", args[0], err,
			strings.TrimSpace(complaint.String()))
	}
	return text, nil
}
