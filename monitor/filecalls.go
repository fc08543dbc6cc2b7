package monitor

import (
	"fmt"

	"advisor/bpf"
	"advisor/trace"
)

// Values shared with bpf/files.h.
const (
	howOpen    = 1
	howFD      = 2
	howMap     = 3
	howPath    = 4
	howSocket  = 5
	howProtect = 6
	noArg      = 0xff

	fileCalled     = 1
	fileCut        = 2
	filePointCut   = 4
	fileTextCut    = 8
	fileUnreadable = 16
	fileFollow     = 32
	fileMemory     = 64
	fileOutside    = 128
	fileLed        = 256

	accessExec = 11
)

// accesses are those of bpf/files.h in its order.
func accesses() []trace.Access {
	return []trace.Access{"", trace.AccessRead, trace.AccessWrite, trace.AccessCreate, trace.AccessRemove,
		trace.AccessRename, trace.AccessAttributes, trace.AccessMap, trace.AccessDevice,
		trace.AccessConnect, trace.AccessBind}
}

// fileCall says where a call has the files it works on; a struct file_call.
type fileCall struct{ How, Access, Dir, Path, Dir2, Path2, Flags, Follow uint8 }

// named is a call with one name: at argument path, relative to the directory
// at argument dir.
func named(access, dir, path uint8) fileCall {
	return fileCall{How: howPath, Access: access, Dir: dir, Path: path, Dir2: noArg, Path2: noArg, Flags: noArg}
}

// followed is named, for calls that follow a link at the end of the name;
// flags is the argument that may forbid it.
func followed(access, dir, path, flags uint8) fileCall {
	c := named(access, dir, path)
	c.Flags, c.Follow = flags, 1
	return c
}

// fileCalls are the calls that open, change or name files. What they need of a
// file system is in the kernel's own checks: it is what mnt_want_write guards.
func fileCalls() map[string]fileCall {
	const write, create, remove, rename, attributes, connect, bind = 2, 3, 4, 5, 6, 9, 10
	open := func(flags, pointed uint8) fileCall {
		return fileCall{How: howOpen, Flags: flags, Follow: pointed}
	}
	fd := fileCall{How: howFD, Access: attributes}
	both := func(dir, path, dir2, path2 uint8) fileCall {
		c := named(rename, dir, path)
		c.Dir2, c.Path2 = dir2, path2
		return c
	}
	return map[string]fileCall{
		"open": open(1, 0), "openat": open(2, 0), "openat2": open(2, 1), "creat": open(noArg, 0),
		"open_by_handle_at": open(2, 0),
		"mmap":              {How: howMap}, "mprotect": {How: howProtect}, "pkey_mprotect": {How: howProtect},
		"mmap2":  {How: howMap},
		"fchmod": fd, "fchown": fd, "fchown32": fd, "fsetxattr": fd, "fremovexattr": fd,
		"truncate": followed(write, noArg, 0, noArg), "truncate64": followed(write, noArg, 0, noArg),
		"mkdir": named(create, noArg, 0), "mkdirat": named(create, 0, 1),
		"mknod": named(create, noArg, 0), "mknodat": named(create, 0, 1),
		"symlink": named(create, noArg, 1), "symlinkat": named(create, 1, 2),
		"link": named(create, noArg, 1), "linkat": named(create, 2, 3),
		"unlink": named(remove, noArg, 0), "rmdir": named(remove, noArg, 0), "unlinkat": named(remove, 0, 1),
		"rename": both(noArg, 0, noArg, 1), "renameat": both(0, 1, 2, 3), "renameat2": both(0, 1, 2, 3),
		"chmod": followed(attributes, noArg, 0, noArg), "fchmodat": followed(attributes, 0, 1, noArg),
		"fchmodat2": followed(attributes, 0, 1, 3),
		"chown":     followed(attributes, noArg, 0, noArg), "lchown": named(attributes, noArg, 0),
		"chown32": followed(attributes, noArg, 0, noArg), "lchown32": named(attributes, noArg, 0),
		"utimensat_time64": followed(attributes, 0, 1, 3),
		"fchownat":         followed(attributes, 0, 1, 4),
		"utime":            followed(attributes, noArg, 0, noArg), "utimes": followed(attributes, noArg, 0, noArg),
		"futimesat": followed(attributes, 0, 1, noArg), "utimensat": followed(attributes, 0, 1, 3),
		"setxattr": followed(attributes, noArg, 0, noArg), "lsetxattr": named(attributes, noArg, 0),
		"removexattr": followed(attributes, noArg, 0, noArg), "lremovexattr": named(attributes, noArg, 0),
		"file_setattr": followed(attributes, 0, 1, 4),
		"setxattrat":   followed(attributes, 0, 1, 2), "removexattrat": followed(attributes, 0, 1, 2),
		"connect": {How: howSocket, Access: connect}, "bind": {How: howSocket, Access: bind},
	}
}

// watchFiles has the probes keep facts about files, or gives back what they
// would need for it.
func (p *probes) watchFiles(on bool) error {
	if !on {
		p.spec.Maps[bpf.RecorderMapFiles].MaxEntries = 1
		p.spec.Maps[bpf.RecorderMapFileCounts].MaxEntries = 1
		return nil
	}
	if err := p.spec.Variables[bpf.RecorderVarFileCalls].Set(byNumber(fileCalls())); err != nil {
		return fmt.Errorf("setting up the probes: %w", err)
	}
	if err := p.spec.Variables[bpf.RecorderVarFilesWanted].Set(uint8(1)); err != nil {
		return fmt.Errorf("setting up the probes: %w", err)
	}
	return nil
}
