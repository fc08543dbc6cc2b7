package strace

// Signatures shows the table to tests.
func Signatures() map[string]string { return signatures(table) }

// Signatures32 shows what 32-bit architectures have beside it.
func Signatures32() map[string]string { return signatures(table32) }
