package monitor

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

type names struct{ node, release string }

func uname() names {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return names{}
	}
	return names{unix.ByteSliceToString(u.Nodename[:]), unix.ByteSliceToString(u.Release[:])}
}

func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}
