// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Making and finding slots. */
#pragma once
#include "event.h"
#include "phase.h"
#include "ring.h"

static __always_inline int aside_of(__u64 nr)
{
	switch (nr) {
	case NR_UNSHARE: return ASIDE_UNSHARE;
	case NR_SETNS: return ASIDE_SETNS;
	case NR_SECCOMP: return ASIDE_SECCOMP;
	case NR_PRCTL: return ASIDE_PRCTL;
	}
	return -1;
}

/* A runtime may join network and cgroup after it made the mount namespace, but
 * before the workload's first program. */
static __always_inline void note_place(struct slot *s, struct task_struct *t)
{
	__u32 netns = BPF_CORE_READ(t, nsproxy, net_ns, ns.inum);
	__u64 id = s->id;

	s->netns = netns;
	if (netns != host_netns)
		bpf_map_update_elem(&by_netns, &netns, &id, BPF_ANY);
	note_cgroup(s, t);
}

static __always_inline void fill(struct slot *s, struct task_struct *t, struct mnt_namespace *m,
				 __u64 id)
{
	s->id = id;
	s->inum = BPF_CORE_READ(m, ns.inum);
	s->pidns = BPF_CORE_READ(t, nsproxy, pid_ns_for_children, ns.inum);
	s->pid = BPF_CORE_READ(t, tgid);
	s->from = comes_from(t);
	if (is_late(t))
		s->flags |= SLOT_LATE;
	bpf_get_current_comm(s->comm, COMM);
	note_place(s, t);
	barrier();
	s->time = bpf_ktime_get_boot_ns();	/* from now on it can be read */
}

static __always_inline void turn_away(__u64 id)
{
	__u64 one = 1, *n = bpf_map_lookup_elem(&turned_away, &id);

	LOSE(slots);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&turned_away, &id, &one, BPF_ANY);
}

/* The slot of the current task's namespace. Two tasks of a new one may come here
 * at once: by_id decides. Not static, so that it is verified once. */
__noinline int make_slot(void)
{
	struct task_struct *t = CURRENT();
	struct mnt_namespace *m = mount_ns(t);
	__u32 i, *known;
	__u64 id;

	if (!m)
		return -1;
	id = unique_id(m);
	known = bpf_map_lookup_elem(&by_id, &id);
	if (!known) {
		if (bpf_map_pop_elem(&free_slots, &i)) {
			turn_away(id);
			return -1;
		}
		if (!bpf_map_update_elem(&by_id, &id, &i, BPF_NOEXIST)) {
			if (last_wanted)
				claim_ring(i, id);
			fill(&slots[i & (SLOTS - 1)], t, m, id);
			tell(EVENT_SLOT, i, id, 0, 0, 0, 0, t);
			goto out;
		}
		bpf_map_push_elem(&free_slots, &i, 0);
		known = bpf_map_lookup_elem(&by_id, &id);
		if (!known) {
			turn_away(id);
			return -1;
		}
	}
	i = *known;
	/* Who made it may not have come to say whose it is: facts wait for nobody. */
	slots[i & (SLOTS - 1)].id = id;
out:
	by_inum[BPF_CORE_READ(m, ns.inum) & (CACHE - 1)] = i;
	return i;
}

static __always_inline struct slot *slot_of(struct task_struct *t, struct mnt_namespace *m,
					    __u32 *index)
{
	__u32 i = by_inum[READ(m, ns.inum) & (CACHE - 1)] & (SLOTS - 1);
	struct slot *s = &slots[i];
	int made;

	*index = i;
	if (s->id == unique_id(m))
		return s;
	made = make_slot();
	if (made < 0)
		return 0;
	*index = made & (SLOTS - 1);
	return &slots[made & (SLOTS - 1)];
}

/* The slot of a task in a container, null on the host. */
static __always_inline struct slot *contained(struct task_struct *t, struct mnt_namespace **m,
					      __u32 *index)
{
	*m = mount_ns(t);
	if (!*m || READ(*m, ns.inum) == host_inum)
		return 0;
	return slot_of(t, *m, index);
}
