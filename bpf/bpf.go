// Package bpf is the kernel side of the recorder: the C programs, the objects
// they compile to, and the Go bindings generated from them. It gathers facts
// and decides nothing.
//
// One object holds every probe over one state; the loader takes out of it what
// the running kernel lacks. The objects are committed, so building needs no
// compiler; go generate rebuilds them with clang 14 and the headers of libbpf.
//
// The C sources and objects are under GPL-2.0-only or BSD-2-Clause, at your
// choice: see LICENSE.GPL-2.0 and LICENSE.BSD-2-Clause beside this file.
package bpf

//go:generate go tool bpf2go -cc clang -strip llvm-strip -target amd64,arm64 -cflags "-O2 -g -mcpu=v3 -Wall -Werror -I/usr/include/x86_64-linux-gnu -fdebug-prefix-map=$PWD=." -type event Recorder recorder.c

//go:generate go tool bpf2go -cc clang -strip llvm-strip -target amd64,arm64 -cflags "-O2 -g -mcpu=v3 -Wall -Werror -DUNTYPED -I/usr/include/x86_64-linux-gnu -fdebug-prefix-map=$PWD=." Untyped recorder.c
