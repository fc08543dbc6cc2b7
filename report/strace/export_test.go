package strace

// Signatures shows the table to tests.
func Signatures() map[string]string { return signatures() }
