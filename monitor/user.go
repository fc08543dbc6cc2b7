package monitor

import (
	"fmt"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// User is who a command is run as.
type User struct {
	UID, GID uint32
	Groups   []uint32 // supplementary ones
}

// ParseUser reads a user as engines take it: a name or uid and, behind a colon,
// a group or gid. A name that this machine knows brings its groups along; a
// number that it does not know has the group 0. It is nil for "".
func ParseUser(text string) (*User, error) {
	if text == "" {
		return nil, nil
	}
	name, group, _ := strings.Cut(text, ":")
	u, err := userOf(name)
	if err != nil {
		return nil, err
	}
	first, rest, _ := strings.Cut(group, ",")
	if group == "" {
		return u, nil
	}
	u.Groups = nil
	if u.GID, err = groupOf(first); err != nil {
		return nil, err
	}
	for _, more := range strings.FieldsFunc(rest, func(r rune) bool { return r == ',' }) {
		gid, err := groupOf(more)
		if err != nil {
			return nil, err
		}
		u.Groups = append(u.Groups, gid)
	}
	return u, nil
}

// userOf finds a user of this machine, by name before number.
func userOf(name string) (*User, error) {
	known, err := user.Lookup(name)
	if err != nil {
		// Before it is looked up: the C library takes what is left of a number
		// that is too large.
		uid, numeric := strconv.ParseUint(name, 10, 32)
		if numeric != nil {
			return nil, fmt.Errorf("no user is called %q", name)
		}
		if known, err = user.LookupId(name); err != nil {
			return &User{UID: uint32(uid)}, nil
		}
	}
	u := &User{UID: number(known.Uid), GID: number(known.Gid)}
	ids, err := known.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("the groups of %s: %w", name, err)
	}
	for _, id := range ids {
		u.Groups = append(u.Groups, number(id))
	}
	return u, nil
}

func groupOf(name string) (uint32, error) {
	if known, err := user.LookupGroup(name); err == nil {
		return number(known.Gid), nil
	}
	gid, err := strconv.ParseUint(name, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("no group is called %q", name)
	}
	return uint32(gid), nil
}

// number reads an id as the user database of a Unix gives it.
func number(id string) uint32 {
	n, _ := strconv.ParseUint(id, 10, 32)
	return uint32(n)
}

// String is uid:gid and the supplementary groups behind commas, as [ParseUser]
// reads it; "" for nil.
func (u *User) String() string {
	if u == nil {
		return ""
	}
	text := fmt.Sprintf("%d:%d", u.UID, u.GID)
	for _, gid := range u.Groups {
		text += fmt.Sprintf(",%d", gid)
	}
	return text
}

// ids is uid:gid, as a trace has it.
func (u *User) ids() string { return fmt.Sprintf("%d:%d", u.UID, u.GID) }

// attr has a process started as u.
func (u *User) attr() *syscall.SysProcAttr {
	if u == nil {
		return nil
	}
	return &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: u.Groups},
	}
}
