// Package seccomp is seccomp profiles offline: synthesize, parse, evaluate,
// compare, check, merge, render. What it synthesizes is proven by another
// package, proof, which shares nothing with it. It needs neither a kernel nor a
// container runtime, and its answers are the same on every machine.
//
// A [Profile] holds what any of the formats can say: the runtime
// specification's linux.seccomp, the wider forms of Docker and Podman, and the
// SeccompProfile objects of the Security Profiles Operator. What a profile
// does is only defined under a [Context], because three programs read it
// before the kernel sees a filter:
//
//  1. The engine drops rules by capability, architecture and kernel (includes,
//     excludes) and expands archMap.
//  2. The OCI runtime drops rules whose action is the default's, ignores names
//     it does not know, splits an entry that tests one argument twice into
//     alternatives, and adds the native architecture. runc puts a stub in
//     front that answers ENOSYS above the highest number named.
//  3. libseccomp translates names for every architecture of the filter. Of the
//     rules for one call an unconditional one wins over all others and the
//     first unconditional one over later ones; conditional ones are tested in
//     libseccomp's own order. Calls of an architecture that is not listed kill
//     the thread.
//
// A call point is an architecture, a number and six arguments of 64 bits. Two
// profiles are equal under a context when every call point has the same action
// and the same errno in both; nothing else about their texts matters.
package seccomp
