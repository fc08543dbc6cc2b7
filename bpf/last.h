// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The flight recorder: the last calls of each container, in a ring that is
 * written over in place. An entry's number is written last, so that a reader
 * knows a whole entry from one that two tasks wrote at once or that is being
 * written, and counts what is not whole.
 */
#pragma once
#include "slot.h"
#include "stack.h"
#include "regs.h"
#include "denied.h"

enum { LAST_TEXT = 144, LAST_HALF = 72, SOCKADDR = 110 };

enum last_state { LAST_CALLED, LAST_RETURNED, LAST_ERRNO, LAST_SIGNAL, LAST_TORN };
enum last_flag { LAST_RESUMED = 1, LAST_FIRST = 2, LAST_SECOND = 4, LAST_SOCKET = 8 };

struct last {
	__u64 seq;		/* from 1; 0 while the entry is written */
	__u64 time, ended;	/* boot clock, ns */
	__u64 args[6];
	__s64 result;
	__u32 nr, pid, tid;
	__u8 arch, state, flags, length;	/* length of a socket's address */
	char comm[COMM];
	char text[LAST_TEXT];
};

/* Arguments that point to text: of paths one or two, of a socket its address and
 * its length. Numbers from 1; 0 for none. */
struct last_call { __u8 first, second, address, length; };
volatile const struct last_call last_calls[ABIS * CALLS] = {};

MAP(BPF_MAP_TYPE_ARRAY, 1, __u32, struct last, last_entries);
MAP(BPF_MAP_TYPE_ARRAY, 1, __u32, __u64, last_open);
/* The ring's next place. Before 5.12 an addition gives no result back: two tasks
 * may take one place there, and the number of the other is missing. */
static __always_inline __u64 next_place(struct ring *r)
{
#ifdef UNTYPED
	__sync_fetch_and_add(&r->head, 1);
	return *(volatile __u64 *)&r->head - 1;
#else
	return __sync_fetch_and_add(&r->head, 1);
#endif
}

static __always_inline struct last *entry_at(struct ring *r, __u64 place)
{
	__u32 at = r->index * 2 * last_wanted + place % last_wanted;

	if (r->frozen && place >= r->frozen)
		at += last_wanted;

	return bpf_map_lookup_elem(&last_entries, &at);
}

/* Argument n, from 1 to 6. The bound is for verifiers that forget it. */
static __always_inline __u64 pointer(struct last *e, __u8 n)
{
	__u64 i = n - 1;

	asm volatile("%0 &= 7" : "+r"(i));
	return e->args[i];
}

/* Paths and addresses, never what is read or written. What is not in memory yet is
 * tried again when the call returns. */
static __always_inline void read_texts(struct last *e)
{
	__u32 nr = (e->nr & (CALLS - 1)) + (e->arch == ARCH_COMPAT ? CALLS : 0);
	volatile const struct last_call *c = &last_calls[nr & (ABIS * CALLS - 1)];
	__u8 first = c->first, second = c->second, address = c->address;
	__u32 n;

	if (first && first <= SIX && !(e->flags & LAST_FIRST) &&
	    bpf_probe_read_user_str(e->text, second ? LAST_HALF : LAST_TEXT,
				    (void *)pointer(e, first)) > 0)
		e->flags |= LAST_FIRST;
	if (second && second <= SIX && !(e->flags & LAST_SECOND) &&
	    bpf_probe_read_user_str(e->text + LAST_HALF, LAST_HALF,
				    (void *)pointer(e, second)) > 0)
		e->flags |= LAST_SECOND;
	if (!address || address > SIX || c->length > SIX || !c->length || e->flags & LAST_SOCKET)
		return;
	n = pointer(e, c->length);
	if (n > SOCKADDR)
		n = SOCKADDR;
	if (n && !bpf_probe_read_user(e->text, n, (void *)pointer(e, address))) {
		e->length = n;
		e->flags |= LAST_SOCKET;
	}
}

/* x32's and private numbers have no place in the table. */
static __always_inline bool has_texts(struct last *e)
{
	return e->arch != ARCH_X32 && e->nr < CALLS;
}

static __always_inline bool executes(struct last *e)
{
	if (e->arch == ARCH_COMPAT)
		return e->nr == COMPAT_EXECVE || e->nr == COMPAT_EXECVEAT;
	return e->nr == NR_EXECVE || e->nr == NR_EXECVEAT;
}

static __always_inline struct ring *ring_of(__u32 slot, __u64 id)
{
	struct ring *r = bpf_map_lookup_elem(&last_rings, &slot);

	if (r && r->id == id)
		return r->index == (__u64)NO_RING ? 0 : r;
	LOSE(lasts);
	return 0;
}

/* Write an entry of the call that this task is in. */
static __always_inline void write_last(struct ring *r, struct task_struct *t, __u64 place, __u64 nr,
				       __u8 state, __u8 flags, long ret)
{
	bool compat = IS_COMPAT(t), x32 = !compat && (nr & ~(__u64)0xffff) == X32;
	struct last *e = entry_at(r, place);

	if (!e)
		return;
	*(volatile __u64 *)&e->seq = 0;
	e->time = bpf_ktime_get_boot_ns();
	e->ended = state == LAST_CALLED ? 0 : e->time;
	e->nr = x32 ? nr & 0xffff : nr;
	e->arch = compat ? ARCH_COMPAT : x32 ? ARCH_X32 : ARCH_NATIVE;
	arguments(registers(t), compat, e->args);
	e->result = ret;
	e->pid = READ(t, tgid);
	e->tid = READ(t, pid);
	e->state = state;
	e->flags = flags;
	e->length = 0;
	bpf_get_current_comm(e->comm, COMM);
	if (has_texts(e))
		read_texts(e);
	barrier();
	*(volatile __u64 *)&e->seq = place + 1;
}

/* Where a call stands that has not returned: the stack's tag, and the place's lower
 * half, which is more than a ring has. */
static __always_inline __u64 *open_call(__u64 tag)
{
	__u32 i = stack_index(tag);

	return bpf_map_lookup_elem(&last_open, &i);
}

__noinline int last_enter(__u64 nr, __u64 tag)
{
	struct task_struct *t = CURRENT();
	__u64 place, *open;
	struct mnt_namespace *m;
	struct ring *r;
	struct slot *s;
	__u32 i;

	s = contained(t, &m, &i);
	r = s ? ring_of(i, s->id) : 0;
	open = open_call(tag);
	if (!r || !open)
		return 0;
	place = next_place(r);
	write_last(r, t, place, nr, LAST_CALLED, 0, 0);
	*open = tag | (place & CONTENT);
	return 0;
}

/* The result of a call that is in the ring. */
static __always_inline bool close_last(struct ring *r, __u64 tag, long ret)
{
	__u64 place, *open = open_call(tag);
	struct last *e;

	if (!open || (*open & ~(__u64)CONTENT) != tag)
		return false;
	place = r->head - ((r->head - *open) & CONTENT);
	e = entry_at(r, place);
	if (!e || e->seq != place + 1)
		return false;
	e->result = ret;
	e->ended = bpf_ktime_get_boot_ns();
	/* After an execve the pointers are those of a program that is gone. */
	if (has_texts(e) && !executes(e))
		read_texts(e);
	barrier();
	e->state = LAST_RETURNED;
	/* Overtaken meanwhile by a whole ring of calls: it is neither's. */
	if (*(volatile __u64 *)&e->seq != place + 1)
		e->state = LAST_TORN;
	return true;
}

/* refusal is of enum refusal. A call that was refused was never entered. */
__noinline int last_leave(__u64 nr, long ret, __u64 tag, __u32 refusal)
{
	struct task_struct *t = CURRENT();
	struct mnt_namespace *m;
	struct ring *r;
	struct slot *s;
	__u32 i;

	s = contained(t, &m, &i);
	r = s ? ring_of(i, s->id) : 0;
	if (!r)
		return 0;
	if (!refusal) {
		/* Back from a signal's handler, the registers are those before it. */
		if (!close_last(r, tag, ret) && (long)nr >= 0)
			write_last(r, t, next_place(r), nr, LAST_RETURNED, LAST_RESUMED, ret);
		return 0;
	}
	write_last(r, t, next_place(r), nr, refusal == BY_SIGNAL ? LAST_SIGNAL : LAST_ERRNO, 0, ret);
	if (!r->frozen)
		r->frozen = r->head;
	return 0;
}
