package caps

import "slices"

// CallSites are the places in the kernel where the answer to a check is not
// what decides, or decides without being audited. The first row that fits is
// taken; a site in no row decides as the class's rules say.
func CallSites() []CallSite {
	return slices.Concat(memorySites(), fileSites(), kernelSites(), decisiveSites())
}

// memorySites ask whether a limit on memory may be passed.
func memorySites() []CallSite {
	return []CallSite{
		{
			Functions: []string{
				"cap_vm_enough_memory", "security_vm_enough_memory_mm", "__vm_enough_memory",
			},
			Names: []string{"SYS_ADMIN"},
			// clone is not among them: new namespaces are asked for there as well.
			Syscalls: []string{
				"brk", "execve", "execveat", "fork", "madvise", "mmap", "mprotect", "mremap",
				"munmap", "shmat", "shmget", "vfork",
			},
			Meaning: Advisory,
			Reason:  "a probe for the memory reserve of administrators; the mapping is made either way",
			Source:  "security/commoncap.c cap_vm_enough_memory; mm/util.c __vm_enough_memory",
		},
		{
			Functions: []string{"io_uring_create", "io_uring_setup", "io_sq_offload_create"},
			Names:     []string{"IPC_LOCK"},
			Syscalls:  []string{"io_uring_setup"},
			Meaning:   Advisory,
			Reason:    "only decides whether the ring's memory counts against RLIMIT_MEMLOCK",
			Source:    "io_uring/io_uring.c io_uring_create",
		},
		{
			Functions: []string{"array_map_alloc", "bpf_array_alloc"},
			Names:     []string{"PERFMON", "SYS_ADMIN"},
			Meaning:   Advisory,
			Reason:    "only decides whether the map is hardened against speculation",
			Source:    "kernel/bpf/arraymap.c array_map_alloc",
		},
		{
			Functions: []string{
				"bpf_int_jit_compile", "bpf_jit_charge_modmem", "bpf_jit_alloc_exec_limit",
				"bpf_prog_alloc_jited_linfo", "bpf_convert_filter", "bpf_prog_select_runtime",
			},
			Meaning: Advisory,
			Reason:  "only decides how the filter is compiled (constant blinding, memory limit)",
			Source: "include/linux/filter.h bpf_jit_blinding_enabled; " +
				"kernel/bpf/core.c bpf_jit_charge_modmem",
		},
	}
}

// fileSites are file systems about their own business.
func fileSites() []CallSite {
	return []CallSite{
		{
			Functions: []string{
				"ovl_can_decode_fh", "ovl_xattr_get", "ovl_path_getxattr", "ovl_do_getxattr",
				"ovl_lookup", "ovl_lookup_layer", "ovl_create_real", "ovl_set_attr",
				"ovl_copy_up_one", "ovl_workdir_create",
			},
			Meaning: Advisory,
			Reason:  "overlayfs at work on its layers, under the credentials of whoever mounted it",
			Source:  "fs/overlayfs/util.c ovl_override_creds",
		},
		{
			Functions: []string{"xattr_permission", "simple_xattr_list", "ext4_xattr_trusted_list"},
			Names:     []string{"SYS_ADMIN"},
			Syscalls:  []string{"listxattr", "llistxattr", "flistxattr", "listxattrat"},
			Meaning:   Advisory,
			Reason:    "only decides whether attributes of the trusted namespace are listed",
			Source:    "fs/xattr.c xattr_permission, simple_xattr_list",
		},
		{
			Functions: []string{
				"ext4_has_free_clusters", "ext4_nonda_switch", "xfs_trans_alloc",
				"btrfs_reserve_metadata_bytes",
			},
			Names:   []string{"SYS_RESOURCE", "SYS_ADMIN"},
			Meaning: Advisory,
			Reason:  "only decides whether the last blocks of the file system may be used",
			Source:  "fs/ext4/balloc.c ext4_has_free_clusters; fs/xfs/xfs_trans.c xfs_trans_alloc",
		},
	}
}

// kernelSites decide details, or how much is shown.
func kernelSites() []CallSite {
	return []CallSite{
		{
			Functions: []string{"cap_capset", "cap_inh_is_capped"},
			Names:     []string{"SETPCAP"},
			Syscalls:  []string{"capset"},
			Meaning:   Advisory,
			Reason: "asked by every capset; only decides for inheritable capabilities that are not " +
				"permitted",
			Source: "security/commoncap.c cap_inh_is_capped",
		},
		{
			Functions: []string{"ep_take_care_of_epollwakeup", "do_epoll_ctl", "sys_epoll_ctl"},
			Names:     []string{"BLOCK_SUSPEND"},
			Syscalls:  []string{"epoll_ctl"},
			Meaning:   Advisory,
			Reason:    "only decides whether a pending event keeps the machine from suspending",
			Source:    "include/linux/eventpoll.h ep_take_care_of_epollwakeup",
		},
		{
			Functions: []string{"kallsyms_show_value"},
			Names:     []string{"SYSLOG"},
			Meaning:   Advisory,
			Reason:    "only decides whether kernel addresses are shown or read as zero",
			Source:    "kernel/ksyms_common.c kallsyms_show_value",
		},
		{
			Functions: []string{"ptrace_has_cap", "__ptrace_may_access", "ptrace_may_access"},
			Names:     []string{"SYS_PTRACE"},
			Syscalls:  []string{"pread64", "read", "readv"},
			Quiet:     true,
			Meaning:   Advisory,
			Reason:    "reading about another process in /proc: without it some fields read as zero",
			Source:    "kernel/ptrace.c __ptrace_may_access; fs/proc/array.c do_task_stat",
		},
	}
}

// decisiveSites decide more, or less, than their answers tell.
func decisiveSites() []CallSite {
	return []CallSite{
		{
			Functions: []string{"sk_setsockopt", "sock_setsockopt"},
			Names:     []string{"NET_ADMIN"},
			Meaning:   Unsure,
			Reason: "to force a buffer's size, which programs try first and do without (SO_SNDBUFFORCE, " +
				"SO_RCVBUFFORCE), or for SO_MARK, SO_PRIORITY, SO_DEBUG",
			Source: "net/core/sock.c sk_setsockopt",
		},
		{
			Functions: []string{
				"seccomp_prepare_filter", "seccomp_prepare_user_filter", "seccomp_set_mode_filter",
				"do_seccomp",
			},
			Names:   []string{"SYS_ADMIN"},
			Meaning: Decisive,
			Reason:  "a filter is loaded without no_new_privs",
			Source:  "kernel/seccomp.c seccomp_prepare_filter",
		},
		{
			Functions: []string{"net_ctl_permissions"},
			Names:     []string{"NET_ADMIN"},
			Meaning:   Advisory,
			Reason:    "gives the owner's access to network settings in /proc/sys, which root has anyway",
			Source:    "net/sysctl_net.c net_ctl_permissions",
		},
		{
			Functions: []string{"__set_oom_adj", "oom_score_adj_write", "oom_adj_write"},
			Names:     []string{"SYS_RESOURCE"},
			Meaning:   Decisive,
			Reason:    "oom_score_adj was lowered below its minimum",
			Source:    "fs/proc/base.c __set_oom_adj",
		},
		{
			Functions: []string{"sys_setuid", "__sys_setuid", "sys_setgid", "__sys_setgid"},
			Names:     []string{"SETUID", "SETGID"},
			Syscalls:  []string{"setuid", "setgid", "setuid32", "setgid32"},
			Meaning:   Unsure,
			Reason:    "asked first even where the ids are the process's own already",
			Source:    "kernel/sys.c __sys_setuid, __sys_setgid",
		},
		{
			Functions: []string{
				"setattr_prepare", "setattr_copy", "setattr_should_drop_sgid", "setattr_should_drop_suidgid",
				"should_remove_suid", "mode_strip_sgid", "inode_init_owner", "posix_acl_update_mode",
				"in_group_or_capable", "file_remove_privs", "__file_remove_privs",
			},
			Names:   []string{"FSETID"},
			Meaning: Unsure,
			Reason:  "without it the call succeeds as well, but clears the set-group-id bit",
			Source:  "fs/attr.c setattr_prepare; fs/inode.c mode_strip_sgid",
		},
	}
}

// Groups are the places where the kernel asks for several capabilities in turn
// and is content with one.
func Groups() []Group { return append(fileGroups(), otherGroups()...) }

// fileGroups are the places in files, bpf and perf.
func fileGroups() []Group {
	return []Group{
		{
			AnyOf: []string{"DAC_READ_SEARCH", "DAC_OVERRIDE"},
			Functions: []string{
				"generic_permission", "inode_permission", "may_lookup", "may_open", "link_path_walk",
			},
			Syscalls: []string{
				"access", "chdir", "chmod", "chown", "execve", "execveat", "faccessat", "faccessat2",
				"lstat", "newfstatat", "open", "openat", "openat2", "readlink", "readlinkat", "stat",
				"statx",
			},
			Source: "fs/namei.c generic_permission",
		},
		{
			AnyOf: []string{"BPF", "SYS_ADMIN"},
			Functions: []string{
				"bpf_token_capable", "bpf_capable", "sys_bpf", "__sys_bpf", "bpf_prog_load",
				"map_create", "bpf_check", "map_check_btf", "bpf_btf_load",
			},
			Syscalls: []string{"bpf"},
			Source:   "include/linux/capability.h bpf_capable; kernel/bpf/token.c bpf_token_capable",
		},
		{
			AnyOf: []string{"PERFMON", "SYS_ADMIN"},
			Functions: []string{
				"perf_event_open", "sys_perf_event_open", "perf_check_permission", "find_get_context",
				"perf_allow_kernel", "perf_allow_cpu", "perf_allow_tracepoint",
			},
			Syscalls: []string{"perf_event_open"},
			Source:   "include/linux/capability.h perfmon_capable; include/linux/perf_event.h",
		},
		{
			AnyOf: []string{"PERFMON", "SYS_ADMIN"},
			Functions: []string{
				"bpf_token_capable", "bpf_prog_load", "bpf_check", "__sys_bpf", "bpf_base_func_proto",
			},
			Source: "include/linux/bpf.h bpf_allow_ptr_leaks; include/linux/capability.h perfmon_capable",
		},
		{
			AnyOf:     []string{"NET_ADMIN", "SYS_ADMIN"},
			Functions: []string{"bpf_net_capable", "bpf_prog_load", "bpf_token_capable"},
			Source:    "kernel/bpf/syscall.c bpf_net_capable",
		},
	}
}

// otherGroups are the places outside of files and bpf.
func otherGroups() []Group {
	return []Group{
		{
			AnyOf: []string{"CHECKPOINT_RESTORE", "SYS_ADMIN"},
			Functions: []string{
				"checkpoint_restore_ns_capable", "alloc_pid", "proc_pid_get_link",
				"proc_map_files_get_link", "proc_map_files_lookup", "map_files_d_revalidate",
				"prctl_set_mm_exe_file", "prctl_set_mm_map", "validate_prctl_map_addr",
				"prctl_set_mm", "pid_mfd_noexec_dointvec_minmax", "pid_ns_ctl_handler",
				"set_permissions", "ipc_permissions",
			},
			Source: "include/linux/capability.h checkpoint_restore_ns_capable",
		},
		{
			AnyOf: []string{"SYS_RESOURCE", "SYS_ADMIN"},
			Functions: []string{
				"copy_process", "pipe_is_unprivileged_user", "alloc_pipe_info", "too_many_unix_fds",
			},
			Syscalls: []string{"fork", "vfork", "pipe", "pipe2", "sendmsg"},
			Source: "kernel/fork.c copy_process; fs/pipe.c pipe_is_unprivileged_user; " +
				"net/core/scm.c too_many_unix_fds",
		},
		{
			AnyOf:     []string{"NET_RAW", "NET_ADMIN"},
			Functions: []string{"sk_setsockopt", "sock_setsockopt", "sock_cmsg_send", "__sock_cmsg_send"},
			Syscalls:  []string{"setsockopt"},
			Source:    "net/core/sock.c sk_setsockopt (SO_MARK, SO_PRIORITY)",
		},
	}
}
