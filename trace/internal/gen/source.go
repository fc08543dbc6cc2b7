//go:build unix

package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// source reads the constants of golang.org/x/sys/unix in dir.
type source struct{ dir string }

var (
	constant = regexp.MustCompile(`(?m)^\t([A-Z][A-Z0-9_]*)\s+= (0x[0-9a-f]+|\d+)$`)
	errno    = regexp.MustCompile(`(?m)^\t\{(\d+), "(E[A-Z0-9]+)", ".*"\},$`)
	release  = regexp.MustCompile(`--branch v(\d+\.\d+)\b.*/torvalds/linux`)
)

// constants are those of a file whose names begin with prefix, without it, in
// lower case, by value.
func (s source) constants(file, prefix string) (map[int]string, error) {
	text, err := os.ReadFile(filepath.Join(s.dir, file))
	if err != nil {
		return nil, err
	}
	found := make(map[int]string)
	for _, m := range constant.FindAllStringSubmatch(string(text), -1) {
		name, ok := strings.CutPrefix(m[1], prefix)
		if !ok || notNames[m[1]] {
			continue
		}
		value, err := strconv.ParseInt(m[2], 0, 32)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", file, m[1], err)
		}
		if other, twice := found[int(value)]; twice {
			return nil, fmt.Errorf("%s: %d is both %s and %s", file, value, other, name)
		}
		found[int(value)] = name
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: no constant %s…", file, prefix)
	}
	return found, nil
}

// notNames are constants of the headers that name no call or capability.
var notNames = map[string]bool{
	"SYS_SYSCALL_MASK":          true,
	"SYS_ARCH_SPECIFIC_SYSCALL": true,
	"CAP_LAST_CAP":              true,
}

func (s source) syscalls(goarch string) (map[int]string, error) {
	found, err := s.constants("zsysnum_linux_"+goarch+".go", "SYS_")
	for nr, name := range found {
		found[nr] = strings.ToLower(name)
	}
	return found, err
}

// arm adds the calls that the 32-bit ARM kernel keeps for itself, from
// __ARM_NR_BASE on (arch/arm/include/uapi/asm/unistd.h).
func (s source) arm() (map[int]string, error) {
	found, err := s.syscalls("arm")
	if err != nil {
		return nil, err
	}
	const base = 0xf0000
	private := []string{"breakpoint", "cacheflush", "usr26", "usr32", "set_tls", "get_tls"}
	for i, name := range private {
		found[base+1+i] = name
	}
	return found, nil
}

// x32 is the x86_64 table without the calls that the kernel's
// arch/x86/entry/syscalls/syscall_64.tbl marks "64", with those it marks "x32".
func (s source) x32() (map[int]string, error) {
	found, err := s.syscalls("amd64")
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(found, func(_ int, name string) bool { return only64[name] })
	for i, name := range onlyX32 {
		found[firstX32+i] = name
	}
	return found, nil
}

// kernel is the release whose headers the constants come from.
func (s source) kernel() (string, error) {
	text, err := os.ReadFile(filepath.Join(s.dir, "linux", "Dockerfile"))
	if err != nil {
		return "", err
	}
	m := release.FindSubmatch(text)
	if m == nil {
		return "", fmt.Errorf("%s names no kernel release", s.dir)
	}
	return string(m[1]), nil
}

// errnos are the values of the generic table that x86 and ARM share, with those
// the kernel keeps to itself but a probe at a call's end sees
// (include/linux/errno.h).
func (s source) errnos() (map[int]string, error) {
	text, err := os.ReadFile(filepath.Join(s.dir, "zerrors_linux_amd64.go"))
	if err != nil {
		return nil, err
	}
	found := maps.Clone(internalErrnos)
	for _, m := range errno.FindAllStringSubmatch(string(text), -1) {
		value, err := strconv.Atoi(m[1])
		if err != nil {
			return nil, err
		}
		found[value] = m[2]
	}
	found[95] = "EOPNOTSUPP" // the kernel's name; ENOTSUP is the C library's
	return found, nil
}
