//go:build ignore
// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* All probes in one object, over one state. */
#include "enter.c"
#include "tasks.c"
#include "exit.c"
#include "caps.c"
#include "tcp.c"
#include "udp.c"
#include "egress.c"

char dual_license[] SEC("license") = "Dual BSD/GPL";
