//go:build !(libseccomp && linux && cgo)

package libseccomp

// Linked tells whether the library is in this build.
const Linked = false

// Compile returns [ErrNotLinked].
func Compile(Filter) (Compiled, error) { return Compiled{}, ErrNotLinked }

// Version is empty.
func Version() string { return "" }

// Number knows no names.
func Number(uint32, string) (int, bool) { return 0, false }
