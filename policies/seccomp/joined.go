package seccomp

// joinsOrder
func joinsOrder(clauses []clause) bool { return len(clauses) > 100 }
