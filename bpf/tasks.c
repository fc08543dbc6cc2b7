//go:build ignore
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The life of tasks: birth, exec, death. */
#include "slot.h"
#include "stack.h"
#include "filecalls.h"
#include "last.h"
#include "pending.h"

enum { KTHREADD = 2, SIGNAL_GROUP_EXIT = 4 };

/* Before the child first runs. */
SEC("tp_btf/task_newtask")
int newtask(__u64 *ctx)
{
	forget_stack((struct task_struct *)ctx[0]);
	if (exits_wanted)
		forget_call((struct task_struct *)ctx[0]);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int exec(__u64 *ctx)
{
	struct task_struct *t = (struct task_struct *)ctx[0];
	struct mnt_namespace *m;
	struct slot *s;
	__u32 i;

	forget_stack(t);
	s = contained(t, &m, &i);
	if (!s)
		return 0;
	if (s->execs++ == 0)
		note_place(s, t);
	if (!s->init && !foreign(t, m, s->init))
		s->init = READ(t, tgid);
	if (files_wanted && class_now(s->init) >= RUN_OPEN)
		note_exec(s, t, (struct linux_binprm *)ctx[2]);
	tell(EVENT_EXEC, i, s->id, 0, 0, class_now(s->init), 0, t);
	return 0;
}

/* The first program of the workload is the container's, whatever its pid namespace.
 * Where that was before recording, process 1 of the namespace stands for it. */
static __noinline bool is_init(struct task_struct *t, __u32 flags, int init)
{
	struct pid *p = BPF_CORE_READ(t, group_leader, thread_pid);
	unsigned int level = BPF_CORE_READ(p, level);
	int nr = 0;

	if (!(flags & SLOT_LATE))
		return BPF_CORE_READ(t, tgid) == init;
	if (!level)
		return false;
	bpf_probe_read_kernel(&nr, sizeof(nr), (void *)p + bpf_core_field_offset(struct pid, numbers) +
			      level * bpf_core_type_size(struct upid));
	return nr == 1;
}

/* Whether the process is over with this thread, whichever came first: others may
 * go on without the first, and take its place when they exec. */
static __always_inline bool process_ends(struct task_struct *t)
{
	return BPF_CORE_READ(t, signal, live.counter) == 0;
}

/* How the process ended, as its parent is told. */
static __always_inline __u32 code_of(struct task_struct *t)
{
	if (BPF_CORE_READ(t, signal, flags) & SIGNAL_GROUP_EXIT)
		return BPF_CORE_READ(t, signal, group_exit_code);
	return BPF_CORE_READ(t, group_leader, exit_code);
}

/* A task that a filter ended in a call it had not entered. */
static __noinline int killed(struct task_struct *t)
{
	__u64 tag = stack_tag((__u64)BPF_CORE_READ(t, stack)), nr;

	if (READ(t, seccomp.mode) < SECCOMP_MODE_FILTER || stack_at(tag)->call != tag)
		return 0;
	nr = CALL_NR(registers(t));
	if ((long)nr < 0)
		return 0;
	note_denied(nr, DENIED_SIGNAL);
	if (last_wanted)
		last_leave(nr, 0, tag, BY_SIGNAL);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int gone(__u64 *ctx)
{
	struct task_struct *t = (struct task_struct *)ctx[0];
	struct mnt_namespace *m;
	struct slot *s;
	__u32 i;

	/* The call it ends in does not return. */
	if (exits_wanted && leaving)
		settle_all(bpf_get_current_pid_tgid(), OUTCOME_UNKNOWN);
	if (exits_wanted && leaving && (READ(t, exit_code) & 0x7f) == SIGSYS)
		killed(t);
	if (!process_ends(t))
		return 0;
	s = contained(t, &m, &i);
	if (!s || s->flags & SLOT_ENDED || !is_init(t, s->flags, s->init))
		return 0;
	s->code = code_of(t);
	s->ended = bpf_ktime_get_boot_ns();
	s->flags |= SLOT_ENDED;
	tell(EVENT_EXIT, i, s->id, 0, 0, 0, s->code, t);
	return 0;
}

/* Every task that is in a namespace other than the host's, and kthreadd, which
 * shares its namespaces with the first task of all: process 1 may have left them. */
SEC("iter/task")
int list_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct nsproxy *n;
	struct task *out;
	__u32 zero = 0;

	if (!t)
		return 0;
	n = READ(t, nsproxy);
	out = bpf_map_lookup_elem(&task_scratch, &zero);
	if (!n || !out)
		return 0;
	out->inum = BPF_CORE_READ(n, mnt_ns, ns.inum);
	out->tgid = READ(t, tgid);
	if (out->tgid != KTHREADD && out->inum == host_inum)
		return 0;
	out->id = unique_id(READ(n, mnt_ns));
	out->netns = BPF_CORE_READ(n, net_ns, ns.inum);
	out->pidns = BPF_CORE_READ(n, pid_ns_for_children, ns.inum);
	out->filtered = READ(t, seccomp.mode) >= SECCOMP_MODE_FILTER;
	out->cgroup = cgroup_path(t, out->path);
	bpf_seq_write(ctx->meta->seq, out, sizeof(*out));
	return 0;
}
