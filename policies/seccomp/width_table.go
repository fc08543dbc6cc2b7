package seccomp

// ints are the calls with arguments of which the kernel reads 32 bits, by the
// places of those: what the SYSCALL_DEFINE lines of Linux 6.18 give a type of
// 32 bits (int, unsigned int, pid_t, umode_t, clockid_t …), as tracefs tells in
// events/syscalls, and clone's flags, which kernel/fork.c cuts (lower_32_bits).
// A comparison of all 64 bits of such an argument can be evaded, or missed,
// through the upper half.
func ints() []intPlaces {
	return []intPlaces{
		{"0", "accept alarm arch_prctl clock_adjtime clock_getres clock_gettime clock_settime clone close " +
			"dup epoll_create epoll_create1 eventfd exit exit_group fchdir fdatasync fgetxattr flistxattr " +
			"fremovexattr fstat fstatfs fsync ftruncate futimesat get_robust_list getgroups getitimer " +
			"getpeername getpgid getrlimit getrusage getsid getsockname inotify_init1 io_setup " +
			"io_uring_setup iopl keyctl memfd_secret migrate_pages mlockall modify_ldt mq_getsetattr " +
			"mq_notify mq_timedreceive openat2 personality pkey_free prctl pread64 process_vm_readv " +
			"process_vm_writev pselect6 pwrite64 read readahead rt_sigaction rt_sigprocmask " +
			"sched_get_priority_max sched_get_priority_min sched_getparam sched_getscheduler " +
			"sched_rr_get_interval sched_setparam select set_mempolicy setfsgid setfsuid setgid setgroups " +
			"setitimer setrlimit setuid signalfd syncfs sysfs timer_create timer_delete timer_getoverrun " +
			"timer_gettime timerfd_gettime umask userfaultfd ustat write"},
		{"1", "access chmod creat fsopen memfd_create mkdir pipe2 ppoll setdomainname sethostname swapon " +
			"symlinkat umount2"},
		{"2", "getrandom ioperm landlock_create_ruleset lsm_list_modules madvise mlock2 msync readlink"},
		{"3", "listmount pkey_mprotect request_key statmount"},
		{"4", "add_key lsetxattr setxattr"},
		{"5", "mbind preadv2 pwritev2"},
		{"01", "clock_nanosleep dup2 eventfd2 fallocate fanotify_init fchmod fcntl flock getpriority " +
			"inotify_rm_watch ioctl ioprio_get kill landlock_restrict_self listen msgctl msgget " +
			"pidfd_open prlimit64 process_mrelease rt_sigqueueinfo sched_getaffinity sched_setaffinity " +
			"sched_setscheduler seccomp sendfile setns setpgid setregid setreuid shmctl shutdown " +
			"timer_settime timerfd_create timerfd_settime tkill"},
		{"02", "bind bpf connect epoll_pwait2 faccessat fchmodat fspick getdents getdents64 getxattrat " +
			"inotify_add_watch listxattrat lseek mkdirat mount_setattr open_by_handle_at open_tree " +
			"open_tree_attr quotactl recvmsg removexattrat renameat sched_setattr semop semtimedop " +
			"sendmsg setxattrat shmat shmget syslog unlinkat wait4"},
		{"03", "accept4 cachestat fadvise64 lsm_get_self_attr mq_timedsend msgsnd newfstatat readlinkat " +
			"recvfrom signalfd4 sync_file_range utimensat vmsplice"},
		{"04", "execveat file_getattr file_setattr fsetxattr msgrcv name_to_handle_at"},
		{"05", "move_pages"},
		{"12", "chown lchown mknod mq_open open poll"},
		{"23", "futex_wake"},
		{"35", "futex_wait"},
		{"012", "close_range dup3 epoll_ctl fchown fsmount getsockopt ioprio_set kcmp membarrier pidfd_getfd " +
			"quotactl_fd reboot rt_tgsigqueueinfo semctl semget setpriority setresgid setresuid socket " +
			"socketpair tgkill"},
		{"013", "fanotify_mark io_uring_register landlock_add_rule pidfd_send_signal tee waitid"},
		{"014", "fsconfig"},
		{"023", "epoll_pwait epoll_wait faccessat2 fchmodat2 lsm_set_self_attr mknodat openat recvmmsg " +
			"sched_getattr sendmmsg statx"},
		{"024", "linkat move_mount renameat2"},
		{"025", "copy_file_range splice"},
		{"034", "process_madvise"},
		{"035", "sendto"},
		{"123", "futex_requeue perf_event_open rseq"},
		{"124", "futex_waitv"},
		{"125", "futex"},
		{"0123", "io_uring_enter"},
		{"0124", "setsockopt"},
		{"0234", "fchownat"},
		// Not in the kernel that was asked, which has no modules and no kexec.
		{"1", "delete_module"}, {"01", "kexec_file_load"}, {"02", "finit_module"},
	}
}
