package strace

import (
	"strings"

	"advisor/trace"
)

// table has the kinds of each call's arguments, a letter each:
//
//	d u  number of 32 bits, with and without a sign    l z  of 64 bits
//	x    number in hexadecimal                          p    address
//	s    path or other text                             A    address of a socket
//	D    directory, or AT_FDCWD                         m    file mode
//	O    flags of open                                  M    its mode, where a file may be made
//	a    flags of the *at calls                         r    mode of access
//	N    mode of a node                                 k    its device, where it is one
//	P    protection                                     F    flags of mmap
//	f    family of sockets                              t i  type of a socket, and its protocol
//	c    flags of clone                                 S h  signal, and what to do with a set of them
//	C q  command of fcntl, and its argument             o    option of prctl
//	e    operation of epoll_ctl                         w    whence
//	v    advice                                         n R  flags of mount, and of renameat2
//
// As in the manual pages of section 2, with what the kernel takes where libc
// differs.
const table = `
: getpid getppid gettid getuid geteuid getgid getegid getpgrp setsid sched_yield pause vhangup
: sync fork vfork restart_syscall rt_sigreturn inotify_init munlockall
d: close dup fsync fdatasync fchdir exit exit_group getsid getpgid alarm epoll_create syncfs
d: sched_getscheduler
dpz: read write getdents getdents64
dzp: sched_getaffinity sched_setaffinity
dpd: readv writev
dpzl: pread64 pwrite64
dpdl: preadv pwritev
sOM: open
DsOM: openat
Dspz: openat2 readlinkat
sm: creat mkdir chmod
s: rmdir unlink chdir chroot acct swapoff
sp: stat lstat statfs utime utimes
dp: fstat fstatfs clock_gettime clock_getres clock_settime getrlimit setrlimit getrusage timerfd_gettime getitimer
dm: fchmod
Dspa: newfstatat utimensat
Dsaxp: statx
sr: access
Dsr: faccessat
Dsra: faccessat2
spz: readlink
Dsm: mkdirat fchmodat
Dsma: fchmodat2
Dsa: unlinkat
ss: rename link symlink pivot_root
DsDs: renameat
DsDsR: renameat2
DsDsa: linkat
sDs: symlinkat
suu: chown lchown
duu: fchown
Dsuua: fchownat
sNk: mknod
DsNk: mknodat
sl: truncate
dl: ftruncate
dlw: lseek
dxll: fallocate
spp: execve
Dsppa: execveat
zzPFdx: mmap
pzP: mprotect
pz: munmap mlock munlock getcwd sethostname clone3 set_robust_list
pzv: madvise
pzzxp: mremap
p: brk pipe uname times time sysinfo set_tid_address
pO: pipe2
m: umask
fti: socket
ftip: socketpair
dAu: connect bind
dd: listen dup2 setpgid shutdown flock inotify_rm_watch getpriority
ddO: dup3
dpzxAu: sendto
dpzxpp: recvfrom
dpx: sendmsg recvmsg
dpux: sendmmsg
dpuxp: recvmmsg
dddpu: setsockopt
dddpp: getsockopt
dpp: accept getsockname getpeername timer_create
dppt: accept4
dCq: fcntl
dxx: ioctl
dS: kill tkill
ddS: tgkill
pxupxx: futex
cpppx: clone
dpdd: epoll_wait
dpddpz: epoll_pwait
dedp: epoll_ctl
x: epoll_create1 inotify_init1 personality unshare userfaultfd
dx: setns eventfd2 timerfd_create
dsx: inotify_add_watch
sx: memfd_create umount2 swapon
oxxxx: prctl
xp: arch_prctl
dxxxx: keyctl
pp: nanosleep gettimeofday sigaltstack rt_sigpending capget capset
dxpp: clock_nanosleep timerfd_settime
Sppz: rt_sigaction
hppz: rt_sigprocmask
pz: rt_sigsuspend
dpxp: wait4
ddpxp: waitid
pud: poll
puppz: ppoll
dpppp: select
dppppp: pselect6
pzx: getrandom
ddpz: sendfile
dpdpzx: splice copy_file_range
xxp: seccomp
xpu: bpf
sssnp: mount
ddpp: prlimit64
u: setuid setgid setfsuid setfsgid
uu: setreuid setregid
uuu: setresuid setresgid
ppp: getresuid getresgid
dp: setgroups getgroups
puxx: rseq
sspzx: setxattr lsetxattr
sspz: getxattr lgetxattr
ss: removexattr lremovexattr
`

// table32 has what is different on 32-bit architectures, or only there:
//
//	W  number of 64 bits, the lower half first, on ARM in an even register and the next
//	U  the same in any two                              B  the upper half first, in any two
//	G  number of pages of 4096 bytes, which strace multiplies
const table32 = `
: sigreturn
dpzW: pread64 pwrite64
dpdU: preadv pwritev
dxWW: fallocate arm_sync_file_range
ddWW: arm_fadvise64_64
dUud: fadvise64
dUUd: fadvise64_64
dUUx: sync_file_range
dWz: readahead
sW: truncate64
dW: ftruncate64
dz: ftruncate
sz: truncate
dBpw: _llseek
p: mmap set_tls
zzPFdG: mmap2
ppx: cacheflush
sp: stat64 lstat64
dp: fstat64 ugetrlimit clock_gettime64 clock_settime64 clock_getres_time64 timerfd_gettime64 socketcall
Dspa: fstatat64 utimensat_time64
szp: statfs64
dzp: fstatfs64
dCq: fcntl64
suu: chown32 lchown32
duu: fchown32
: getuid32 getgid32 geteuid32 getegid32
u: setuid32 setgid32 setfsuid32 setfsgid32
uu: setreuid32 setregid32
uuu: setresuid32 setresgid32
ppp: getresuid32 getresgid32
dp: setgroups32 getgroups32
ddpz: sendfile64
dpzx: send recv
dpuxp: recvmmsg_time64
pxupxx: futex_time64
dxpp: clock_nanosleep_time64 timerfd_settime64
puppz: ppoll_time64
dppppp: pselect6_time64
dpppp: _newselect
dpx: waitpid
Spp: sigaction
hpp: sigprocmask
`

// signatures are the kinds of a table by the call's name.
func signatures(table string) map[string]string {
	list := make(map[string]string)
	for line := range strings.Lines(table) {
		kinds, names, _ := strings.Cut(strings.TrimSpace(line), ":")
		for _, name := range strings.Fields(names) {
			list[name] = kinds
		}
	}
	return list
}

// signature are the kinds of a call's arguments.
func signature(l *trace.Last) (string, bool) {
	if narrow(l.Arch) {
		if kinds, ok := signatures(table32)[l.Syscall]; ok {
			return kinds, true
		}
	}
	kinds, ok := signatures(table)[l.Syscall]
	return kinds, ok && l.Arch != trace.ArchX32
}
