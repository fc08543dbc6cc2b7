// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Telling user space who was seen first. */
#pragma once
#include "exe.h"

static __always_inline void see(struct sighting *by, struct task_struct *t)
{
	by->time = bpf_ktime_get_boot_ns();
	by->pid = READ(t, tgid);
	by->tid = READ(t, pid);
	bpf_get_current_comm(by->comm, COMM);
	by->exe = exe_of();
}

/* The reader comes when it likes; sooner where the ring fills up meanwhile, and at
 * once where a new container may get a filter that nobody watches. */
static __always_inline __u64 wakeup(__u32 kind)
{
	if (kind == EVENT_SLOT && unwatched)
		return BPF_RB_FORCE_WAKEUP;
	return bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > RING / 2 ? BPF_RB_FORCE_WAKEUP :
									   BPF_RB_NO_WAKEUP;
}

/* A full ring costs the sighting, not the fact, so nothing waits for the reader. */
static __always_inline void tell(__u32 kind, __u32 slot, __u64 id, __u32 nr, __u8 arch,
				 __u8 class, __u32 code, struct task_struct *t)
{
	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);

	if (!e) {
		LOSE(events);
		return;
	}
	e->id = id;
	e->slot = slot;
	e->kind = kind;
	e->nr = nr;
	e->code = code;
	e->arch = arch;
	e->class = class;
	see(&e->by, t);
	bpf_ringbuf_submit(e, wakeup(kind));
}
