package seccomp

// privileged are calls that the kernel itself answers with EPERM where the
// caller lacks a capability (a test asks the running kernel), with some
// arguments or under some sysctl, and those that Docker's and Podman's default
// profiles refuse with EPERM. Programs that try them are ready for EPERM, and
// read ENOSYS as a broken system. The mount calls of Linux 5.2 and later are
// not among them: runc itself tries those and falls back only on ENOSYS.
const privileged = "acct add_key adjtimex bpf chroot clock_adjtime clock_adjtime64 " +
	"clock_settime clock_settime64 delete_module fanotify_init finit_module init_module " +
	"ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mbind migrate_pages " +
	"mknod mknodat modify_ldt mount move_pages name_to_handle_at nfsservctl " +
	"open_by_handle_at perf_event_open personality pivot_root process_vm_readv " +
	"process_vm_writev ptrace quotactl quotactl_fd reboot request_key set_mempolicy setdomainname " +
	"sethostname setns settimeofday stime swapoff swapon syslog umount umount2 unshare " +
	"userfaultfd vhangup vm86 vm86old"

// probes are calls that libraries and runtimes try first and replace with
// older ones on ENOSYS, and on nothing else. A profile must never answer them
// with EPERM or a kill: glibc 2.34 and later cannot start a thread without
// clone3 when that fails with EPERM.
const probes = "cachestat clone3 close_range copy_file_range epoll_pwait2 faccessat2 fchmodat2 " +
	"fsconfig fsmount fsopen fspick futex_requeue futex_wait futex_waitv futex_wake " +
	"getrandom io_uring_enter io_uring_register io_uring_setup landlock_create_ruleset " +
	"mount_setattr move_mount mseal open_tree openat2 pidfd_getfd pidfd_open " +
	"pidfd_send_signal preadv2 process_madvise pwritev2 renameat2 rseq statx"
