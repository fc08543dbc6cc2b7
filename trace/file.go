package trace

import "errors"

// Access is what was done with a file, a directory or a socket in the file
// system, and went well.
type Access string

// Values of [File.Access]. What needs a file system that can be written is
// what [Access.Writes] says.
const (
	AccessRead       Access = "read"       // opened for reading only
	AccessWrite      Access = "write"      // opened for writing, or cut to a length
	AccessCreate     Access = "create"     // made: a file, directory, node, link
	AccessRemove     Access = "remove"     // a name was taken away
	AccessRename     Access = "rename"     // either name of a rename
	AccessAttributes Access = "attributes" // mode, owner, times, extended attributes
	AccessMap        Access = "map"        // mapped to be executed, as libraries are
	AccessDevice     Access = "device"     // a device or pipe was opened for writing
	AccessConnect    Access = "connect"    // a unix socket was connected to
	AccessBind       Access = "bind"       // a unix socket was made at this name
)

// Writes says that the access fails on a read-only file system. Devices and
// pipes there can be written all the same, and sockets be connected to.
func (a Access) Writes() bool {
	switch a {
	case AccessWrite, AccessCreate, AccessRemove, AccessRename, AccessAttributes, AccessBind:
		return true
	}
	return false
}

// Place says which file system a path lies on.
type Place struct {
	// Mount is the mount point as the container sees it: "/" is its root file
	// system, anything else a volume or a file system of the kernel's. Empty
	// where Origin says why.
	Mount string `json:"mount,omitempty"`
	FS    string `json:"fs,omitempty"` // type of the file system, such as overlay or tmpfs
	// Origin is empty for a mount of the container.
	Origin Origin `json:"origin,omitempty"`
}

// Origin is where a file comes from that lies on none of the container's mounts.
type Origin string

// Values of [Place.Origin].
const (
	OriginMemory   Origin = "memory"   // in no directory: memfd_create and the like
	OriginOutside  Origin = "outside"  // a mount of another namespace: the file was handed in
	OriginAbstract Origin = "abstract" // a socket's name that is in no file system
	OriginUnknown  Origin = "unknown"  // it could not be told any more
)

// Exec is a program that the workload ran, once per (container, path, place,
// script).
type Exec struct {
	Container string `json:"container"`
	Path      string `json:"path"` // of the executable, as the container sees it
	Place
	// Script is what was to be run, as it was called, where that is a text for
	// the interpreter at Path.
	Script string `json:"script,omitempty"`
	Cut    bool   `json:"cut,omitempty"` // Path is only its end
	Sighting
}

// File is what the workload did in a file system: once per (container, access,
// place, directory of path), and for reading and mapping once per (container,
// access, place). Path is that of the first.
type File struct {
	Container string `json:"container"`
	Access    Access `json:"access"`
	Path      string `json:"path,omitempty"` // as the container sees it; of an abstract socket its name
	Place
	// Called says that Path is as the program called it: symbolic links in it
	// were not followed. Place is right all the same.
	Called bool `json:"called,omitempty"`
	Cut    bool `json:"cut,omitempty"` // Path is only its end
	// Overflow says that there were more directories than are kept.
	Overflow bool `json:"overflow,omitempty"`
	Sighting
}

// Type implements [Record].
func (*Exec) Type() string { return "exec" }
func (*File) Type() string { return "file" }

func (e *Exec) check() error {
	return errors.Join(given("path", e.Path), e.Place.check())
}

func (f *File) check() error {
	return errors.Join(oneOf("access", f.Access, AccessRead, AccessWrite, AccessCreate, AccessRemove,
		AccessRename, AccessAttributes, AccessMap, AccessDevice, AccessConnect, AccessBind),
		f.Place.check())
}

func (p Place) check() error {
	err := oneOf("origin", p.Origin, "", OriginMemory, OriginOutside, OriginAbstract, OriginUnknown)
	if err == nil && p.Origin == "" {
		err = given("mount", p.Mount)
	}
	return err
}
