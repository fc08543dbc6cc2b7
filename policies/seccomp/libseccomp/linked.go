//go:build libseccomp && linux && cgo

package libseccomp

/*
#cgo CFLAGS: -D_GNU_SOURCE
#cgo LDFLAGS: -l:libseccomp.a
#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// export_program writes the compiled filter to memory and reads it back:
// seccomp_export_bpf wants a file descriptor, and seccomp_export_bpf_mem is
// not there before libseccomp 2.6. The caller frees *out.
static int export_program(scmp_filter_ctx ctx, void **out, size_t *size)
{
	struct stat st;
	int rc, fd = memfd_create("seccomp", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	rc = seccomp_export_bpf(ctx, fd);
	if (rc == 0 && fstat(fd, &st) != 0)
		rc = -errno;
	if (rc == 0) {
		*size = st.st_size;
		*out = malloc(*size ? *size : 1);
		if (*out == NULL || pread(fd, *out, *size, 0) != (ssize_t)*size)
			rc = -EIO;
	}
	close(fd);
	return rc;
}
*/
import "C"

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"unsafe"
)

// Linked tells whether the library is in this build.
const Linked = true

// optimizeTree is the level of SCMP_FLTATR_CTL_OPTIMIZE for a binary tree.
const optimizeTree = 2

// Version is that of the library, such as "2.5.4".
func Version() string {
	v := C.seccomp_version()
	if v == nil {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", v.major, v.minor, v.micro)
}

// Number is the number of a call in the library's own table, with the bit of
// x32; negative for calls that the architecture lacks but others have.
func Number(arch uint32, name string) (int, bool) {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	nr := C.seccomp_syscall_resolve_name_arch(C.uint32_t(arch), text)
	return int(nr), nr != C.__NR_SCMP_ERROR
}

// Compile builds the filter and exports its program. The error is libseccomp's
// with the rule it refused.
func Compile(f Filter) (Compiled, error) {
	if err := f.check(); err != nil {
		return Compiled{}, err
	}
	ctx := C.seccomp_init(C.uint32_t(f.Default))
	if ctx == nil {
		return Compiled{}, fmt.Errorf("seccomp_init with action %#x: refused", f.Default)
	}
	defer C.seccomp_release(ctx)
	if err := setArchs(ctx, f.Archs); err != nil {
		return Compiled{}, err
	}
	if f.Tree {
		rc := C.seccomp_attr_set(ctx, C.SCMP_FLTATR_CTL_OPTIMIZE, optimizeTree)
		if err := failure(rc, "asking for a binary tree"); err != nil {
			return Compiled{}, err
		}
	}
	var out Compiled
	for _, r := range f.Rules {
		known, err := addRule(ctx, r)
		if err != nil {
			return Compiled{}, err
		}
		if !known && !slices.Contains(out.Unknown, r.Name) {
			out.Unknown = append(out.Unknown, r.Name)
		}
	}
	var err error
	out.Program, err = export(ctx)
	return out, err
}

// setArchs leaves exactly archs in the filter: it begins with the host's own.
func setArchs(ctx C.scmp_filter_ctx, archs []uint32) error {
	native := uint32(C.seccomp_arch_native())
	for _, a := range archs {
		rc := C.seccomp_arch_add(ctx, C.uint32_t(a))
		if rc == -C.EEXIST {
			continue
		}
		if err := failure(rc, fmt.Sprintf("adding architecture %#x", a)); err != nil {
			return err
		}
	}
	if slices.Contains(archs, native) {
		return nil
	}
	return failure(C.seccomp_arch_remove(ctx, C.uint32_t(native)), "removing the host's architecture")
}

// addRule adds a rule by the host's number for its name, from which libseccomp
// finds those of the other architectures.
func addRule(ctx C.scmp_filter_ctx, r Rule) (known bool, err error) {
	nr, ok := Number(uint32(C.seccomp_arch_native()), r.Name)
	if !ok {
		return false, nil
	}
	var args []C.struct_scmp_arg_cmp
	for _, a := range r.Args {
		args = append(args, C.struct_scmp_arg_cmp{
			arg: C.uint(a.Index), op: C.enum_scmp_compare(a.Op),
			datum_a: C.scmp_datum_t(a.A), datum_b: C.scmp_datum_t(a.B),
		})
	}
	rc := C.seccomp_rule_add_array(ctx, C.uint32_t(r.Action), C.int(nr),
		C.uint(len(args)), unsafe.SliceData(args))
	return true, failure(rc, "adding a rule for "+r.Name)
}

func export(ctx C.scmp_filter_ctx) ([]byte, error) {
	var memory unsafe.Pointer
	var size C.size_t
	rc := C.export_program(ctx, &memory, &size)
	defer C.free(memory)
	if err := failure(rc, "exporting the program"); err != nil {
		return nil, err
	}
	return C.GoBytes(memory, C.int(size)), nil
}

// errRefused is in every error of the library.
var errRefused = errors.New("libseccomp refuses it")

func failure(rc C.int, doing string) error {
	if rc == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w: %w", doing, errRefused, syscall.Errno(-rc))
}
