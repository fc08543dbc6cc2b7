//go:build unix

package main

// only64 are the calls that x32 has not, or has under a number of its own.
var only64 = map[string]bool{
	"rt_sigaction": true, "rt_sigreturn": true, "ioctl": true, "readv": true,
	"writev": true, "recvfrom": true, "sendmsg": true, "recvmsg": true,
	"setsockopt": true, "getsockopt": true, "execve": true, "ptrace": true,
	"rt_sigpending": true, "rt_sigtimedwait": true, "rt_sigqueueinfo": true,
	"sigaltstack": true, "uselib": true, "_sysctl": true, "create_module": true,
	"get_kernel_syms": true, "query_module": true, "nfsservctl": true,
	"set_thread_area": true, "io_setup": true, "io_submit": true,
	"get_thread_area": true, "epoll_ctl_old": true, "epoll_wait_old": true,
	"timer_create": true, "vserver": true, "mq_notify": true, "kexec_load": true,
	"waitid": true, "set_robust_list": true, "get_robust_list": true,
	"vmsplice": true, "move_pages": true, "preadv": true, "pwritev": true,
	"rt_tgsigqueueinfo": true, "recvmmsg": true, "sendmmsg": true,
	"process_vm_readv": true, "process_vm_writev": true, "execveat": true,
	"preadv2": true, "pwritev2": true, "uretprobe": true, "uprobe": true,
	"map_shadow_stack": true,
}

// firstX32 is the number of onlyX32's first call, without bit 30. The list is
// closed: new calls have one number for both.
const firstX32 = 512

var onlyX32 = []string{
	"rt_sigaction", "rt_sigreturn", "ioctl", "readv", "writev", "recvfrom",
	"sendmsg", "recvmsg", "execve", "ptrace", "rt_sigpending", "rt_sigtimedwait",
	"rt_sigqueueinfo", "sigaltstack", "timer_create", "mq_notify", "kexec_load",
	"waitid", "set_robust_list", "get_robust_list", "vmsplice", "move_pages",
	"preadv", "pwritev", "rt_tgsigqueueinfo", "recvmmsg", "sendmmsg",
	"process_vm_readv", "process_vm_writev", "setsockopt", "getsockopt",
	"io_setup", "io_submit", "execveat", "preadv2", "pwritev2",
}

var internalErrnos = map[int]string{
	512: "ERESTARTSYS", 513: "ERESTARTNOINTR", 514: "ERESTARTNOHAND",
	515: "ENOIOCTLCMD", 516: "ERESTART_RESTARTBLOCK", 517: "EPROBE_DEFER",
	524: "ENOTSUPP",
}
