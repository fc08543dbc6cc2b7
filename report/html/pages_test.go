package html_test

import (
	"fmt"
	"strings"
	"time"

	"advisor/policies"
	"advisor/report/html"
	"advisor/trace"
)

var start = time.Date(2026, 11, 21, 9, 50, 3, 0, time.UTC)

// risks are classes as a report gives them.
func risks() []html.Risk {
	return []html.Risk{
		{Name: "breaks isolation", Reason: "reaches beyond the container when it succeeds"},
		{Name: "kernel attack surface", Reason: "large, young or often broken code in the kernel"},
		{Name: "watches others", Reason: "reads or changes other processes"},
		{Name: "ordinary", Reason: "files, memory, time, and its own sockets", Ordinary: true},
	}
}

func seen(minute, count int, comm string) policies.Seen {
	return policies.Seen{
		First: trace.Sighting{Time: start.Add(time.Duration(minute) * time.Minute), Comm: comm},
		Count: uint64(count), Containers: 1 + count%3, Comms: []string{comm},
	}
}

func evidence(replicas int) policies.Evidence {
	return policies.Evidence{
		Start: start, End: start.Add(2*time.Hour + 14*time.Minute), LastNew: start.Add(24 * time.Minute),
		Traces: 1, Nodes: []string{"node-a"}, Kernels: []string{"6.18.5"},
		Replicas: replicas, Restarts: 1, Complete: trace.CompleteTrue,
	}
}

func curve() html.Curve {
	c := html.Curve{Start: start, Step: time.Minute, New: make([]int, 134)}
	copy(c.New, []int{312, 95, 41, 17, 22, 9, 4, 0, 3, 1, 0, 0, 6, 2, 0, 0, 1, 0, 0, 0, 0, 2, 0,
		0, 1})
	return c
}

// webServer is a workload with every kind of fact.
func webServer(w policies.Workload, calls int) html.Workload {
	return html.Workload{
		Workload: w, Image: "registry.example/shop/" + w.Name + ":1.4.2", Evidence: evidence(3),
		Compared: []string{"seccomp", "netpol", "caps"},
		Capabilities: []html.Capability{
			{Name: "NET_BIND_SERVICE", Need: html.Needed, Reason: "bind to TCP port 80",
				Seen: seen(0, 1, w.Name)},
			{Name: "SETUID", Need: html.Needed, Reason: "setuid to 101 succeeded",
				Seen: seen(0, 4, w.Name)},
			{Name: "NET_RAW", Need: html.Unused, Reason: "granted by the runtime's default, never needed"},
			{Name: "MKNOD", Need: html.Unused, Reason: "granted by the runtime's default, never needed"},
			{Name: "SYS_ADMIN", Need: html.Incidental, Reason: "asked by the memory accounting; refusal changes nothing", Seen: seen(0, 31, w.Name)},
		},
		Syscalls: syscalls(w.Name, calls),
		Policies: []html.Policy{seccompPolicy(w.Name, calls), capsPolicy()},
	}
}

var ordinary = strings.Fields(`accept4 access arch_prctl bind brk chdir clock_gettime close connect dup2
 epoll_create1 epoll_ctl epoll_pwait eventfd2 execve exit exit_group faccessat2 fcntl fstat futex
 getcwd getdents64 getegid geteuid getgid getpid getppid getrandom getsockname getsockopt gettid
 getuid ioctl listen lseek madvise mkdirat mmap mprotect munmap nanosleep newfstatat openat pipe2
 poll prctl pread64 prlimit64 pwrite64 read readlinkat readv recvfrom recvmsg renameat
 rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield sendfile sendmsg sendto
 set_robust_list set_tid_address setgid setgroups setsockopt setuid shutdown sigaltstack socket
 socketpair statfs statx sysinfo tgkill timerfd_create umask uname unlinkat wait4 write writev`)

func syscalls(comm string, n int) []html.Syscall {
	list := []html.Syscall{
		{Name: "io_uring_setup", Risk: "kernel attack surface", Default: "refused", Phase: "run",
			Reason: "io_uring: a large, young interface past seccomp's view of its operations", Seen: seen(3, 2, comm)},
		{Name: "clone3", Risk: "breaks isolation", Default: "conditional", Phase: "run",
			Reason: "makes namespaces; flags are behind a pointer no filter can read",
			Seen:   seen(0, 9, comm)},
		{Name: "ptrace", Risk: "watches others", Default: "conditional", Phase: "run",
			Reason: "reads and writes other processes", Seen: seen(12, 1, "gdb")},
		{Name: "frobnicate", Risk: "", Phase: "run", Reason: "no table knows this call",
			Seen: seen(1, 1, comm)},
	}
	for i, name := range ordinary[:min(n, len(ordinary))] {
		list = append(list, html.Syscall{
			Name: name, Risk: "ordinary", Default: "allowed", Phase: "run", Seen: seen(i%20, 7*i+1, comm),
		})
	}
	return list
}

func seccompPolicy(name string, calls int) html.Policy {
	p := html.Policy{Kind: "seccomp", Name: name + ".json", Proof: policies.Proof{
		Kind: "seccomp", Checked: 463, Summary: "46 recorded calls allowed, 417 others refused with ENOSYS (2 evaluators agree)",
	}}
	text := "{\n  \"defaultAction\": \"SCMP_ACT_ERRNO\",\n  \"defaultErrnoRet\": 38,\n  \"syscalls\": [\n    {\n      \"names\": [\n"
	for i, s := range syscalls(name, calls) {
		text += fmt.Sprintf("        %q,\n", s.Name)
		p.Rules = append(p.Rules, html.Rule{First: 7 + i, Last: 7 + i, Facts: []string{s.Key()}})
	}
	p.Text = text + "        \"write\"\n      ],\n      \"action\": \"SCMP_ACT_ALLOW\"\n    }\n  ]\n}\n"
	return p
}

func capsPolicy() html.Policy {
	return html.Policy{
		Kind: "caps", Name: "securityContext.yaml",
		Notes: []string{"runs as uid 101, so the kernel asks for fewer than root would need"},
		Text:  "capabilities:\n  drop: [ALL]\n  add:\n    - NET_BIND_SERVICE\n    - SETUID\n",
		Rules: []html.Rule{
			{First: 4, Last: 4, Facts: []string{"capability/NET_BIND_SERVICE"}},
			{First: 5, Last: 5, Facts: []string{"capability/SETUID"}},
		},
	}
}

// drift adds findings and the patch that ends them.
func drift(w *html.Workload) {
	w.Standing = &html.Standing{Today: "privileged", Could: "restricted", Lines: []string{
		"baseline refuses it as declared:", "  host namespaces: hostNetwork=true",
	}}
	w.Capabilities[0].Verified, w.Capabilities[0].Failed = "necessary", "it ended with 1: bind() failed"
	at := func(file string, line int) policies.Position {
		return policies.Position{File: file, Line: line, Column: 9}
	}
	w.Findings = []policies.Finding{
		{Class: policies.Missing, Rule: "seccomp/missing-syscall", Subject: "getrandom",
			Message: "seen 41× by nginx, first 12:04:11",
			Evidence: []string{"web-7d4f container server, pid 4121, run phase",
				"web-9b1c container server, pid 388, run phase"},
			Position: at("deploy/seccomp/frontend.json", 18)},
		{Class: policies.Excess, Rule: "caps/unused", Subject: "NET_RAW",
			Message:  "granted, never needed in 2h14m",
			Position: at("k8s/frontend.yaml", 44)},
		{Class: policies.Missing, Rule: "netpol/missing-flow", Subject: "-> shop/cart TCP/7070",
			Message:  "seen 902×",
			Position: at("k8s/netpol.yaml", 21)},
	}
	w.Patches = []html.Patch{{File: "k8s/frontend.yaml", Text: `--- k8s/frontend.yaml
+++ k8s/frontend.yaml
@@ -41,7 +41,6 @@
           capabilities:
             drop: [ALL]
             add:
-              - NET_RAW
               - NET_BIND_SERVICE
               - SETUID
+            # getrandom is new since the last recording
`}}
}

// onePage is one container and nothing around it.
func onePage() html.Page {
	w := webServer(policies.Workload{Kind: policies.KindContainer, Name: "web"}, 46)
	w.Compared = nil
	return html.Page{
		Traces: []string{"trace.log"}, Evidence: evidence(1), Curve: curve(), Risks: risks(),
		Workloads: []html.Workload{w},
		Flows: []html.Flow{
			{From: html.Peer{Name: "clients"}, To: html.Peer{Namespace: "default", Name: "web"},
				Protocol: "TCP", Port: 80, Seen: seen(0, 912, "nginx")},
			{From: html.Peer{Namespace: "default", Name: "web"}, To: html.Peer{Name: "10.0.3.7"},
				Protocol: "TCP", Port: 5432, Seen: seen(0, 3, "nginx")},
		},
	}
}

var shop = []string{"frontend", "cart", "catalog", "checkout", "payment", "shipping", "email",
	"currency", "ads", "recommend"}

// tenPage is a shop in two namespaces, with drift.
func tenPage() html.Page {
	p := html.Page{
		Title: "shop, staging", Traces: []string{"trace-a.log", "trace-b.log"},
		Manifests: []string{"k8s/"},
		Evidence:  evidence(24), Curve: curve(), Risks: risks(),
	}
	p.Evidence.Nodes = []string{"node-a", "node-b", "node-c"}
	p.Evidence.Traces, p.Evidence.Lost, p.Evidence.Complete = 2, 12, trace.CompleteFalse
	p.Evidence.Losses = []trace.Loss{{Probe: "network", Stage: "map", Count: 12,
		Reason: "the table of peers was full"}}
	p.Notes = []string{"k8s/templates/deployment.yaml:3: a Helm template, not read"}
	for i, name := range shop {
		w := webServer(policies.Workload{Namespace: "shop", Kind: "Deployment", Name: name,
			Container: "server"}, 30+5*i)
		switch i % 4 {
		case 0:
			drift(&w)
		case 2:
			w.Findings = []policies.Finding{{Class: policies.Unprotected, Rule: "seccomp/no-profile",
				Subject: "seccomp",
				Message: "no profile is set, and the runtime's default is off for pods", Position: policies.Position{File: "k8s/" + name + ".yaml", Line: 12}}}
		case 3:
			w.Capabilities = append(w.Capabilities, html.Capability{Name: "CHOWN", Need: html.NotGranted,
				Reason: "chown of /var/cache refused with EPERM", Seen: seen(1, 3, name)})
			w.Findings = []policies.Finding{{Class: policies.Excess, Rule: "caps/unused", Subject: "MKNOD",
				Message:  "granted, never needed",
				Position: policies.Position{File: "k8s/" + name + ".yaml", Line: 31, Column: 17}}}
		}
		p.Workloads = append(p.Workloads, w)
	}
	p.Flows = shopFlows()
	p.Patches = []html.Patch{{File: "k8s/all.yaml", Text: "--- a/k8s/all.yaml\n+++ b/k8s/all.yaml\n" +
		"@@ -1,2 +1 @@\n kept\n-taken out\n"}}
	return p
}

func shopFlows() []html.Flow {
	in := func(name string) html.Peer { return html.Peer{Namespace: "shop", Name: name} }
	tcp := func(from, to html.Peer, port int, c policies.Class) html.Flow {
		f := html.Flow{From: from, To: to, Protocol: "TCP", Port: port, Class: c,
			Reason: "netpol.yaml:9 allows it"}
		if c != policies.Excess {
			f.Seen = seen(port%30, port%1000, from.Name)
		}
		if c == policies.Missing {
			f.Reason = "no rule of shop/" + to.Name + " admits it"
		}
		return f
	}
	redis := html.Peer{Namespace: "data", Name: "redis"}
	dns := html.Peer{Namespace: "kube-system", Name: "kube-dns"}
	flows := []html.Flow{
		tcp(html.Peer{Name: "0.0.0.0/0"}, in("frontend"), 8080, ""),
		tcp(in("frontend"), in("cart"), 7070, policies.Missing),
		tcp(in("frontend"), in("catalog"), 3550, ""),
		tcp(in("frontend"), in("checkout"), 5050, ""), tcp(in("frontend"), in("currency"), 7000, ""),
		tcp(in("frontend"), in("ads"), 9555, ""), tcp(in("frontend"), in("recommend"), 8080, ""),
		tcp(in("checkout"), in("payment"), 50051, ""), tcp(in("checkout"), in("shipping"), 50051, ""),
		tcp(in("checkout"), in("email"), 5000, policies.Excess),
		tcp(in("checkout"), in("cart"), 7070, ""),
		tcp(in("cart"), redis, 6379, ""), tcp(in("recommend"), in("catalog"), 3550, ""),
		tcp(in("payment"), html.Peer{Name: "203.0.113.7"}, 443, policies.Unprotected),
		tcp(in("frontend"), in("shipping"), 50051, policies.Excess),
		tcp(in("frontend"), in("shipping"), 8080, policies.Excess),
	}
	for _, name := range shop[:4] {
		f := tcp(in(name), dns, 53, "")
		f.Protocol = "UDP"
		flows = append(flows, f)
	}
	return flows
}

// sixtyPage is sixty workloads in six namespaces with 300 flows.
func sixtyPage() html.Page { return manyPage(60, 80, 300) }

func manyPage(workloads, calls, flows int) html.Page {
	p := html.Page{
		Title: "production", Traces: []string{"node-a.log.zst", "node-b.log.zst"},
		Manifests: []string{"k8s/"},
		Evidence:  evidence(3 * workloads), Curve: curve(), Risks: risks(),
	}
	for i := range 12 {
		p.Evidence.Nodes = append(p.Evidence.Nodes, fmt.Sprintf("worker-%02d", i))
	}
	spaces := []string{"shop", "data", "identity", "observability", "ingress", "batch"}
	peer := func(i int) html.Peer {
		i %= workloads
		return html.Peer{Namespace: spaces[i%len(spaces)],
			Name: fmt.Sprintf("%s-%d", shop[i%len(shop)], i)}
	}
	for i := range workloads {
		kind := []string{"Deployment", "StatefulSet", "CronJob"}[i%3]
		w := webServer(policies.Workload{Namespace: peer(i).Namespace, Kind: kind, Name: peer(i).Name,
			Container: "main"}, calls)
		if i%7 == 0 {
			drift(&w)
		}
		p.Workloads = append(p.Workloads, w)
	}
	classes := []policies.Class{"", "", "", policies.Missing, "", "", policies.Excess, "", "", "",
		policies.Unprotected}
	for i := range flows {
		// Mostly within a namespace, some to two hubs, a few across.
		from, to := peer(i), peer(i+6*(1+i/60))
		switch i % 5 {
		case 1:
			to = peer([]int{1, 7}[i%2])
		case 3:
			to = peer(i + 13*(1+i/120))
		}
		if i%23 == 0 {
			to = html.Peer{Name: fmt.Sprintf("203.0.113.%d", i)}
		}
		p.Flows = append(p.Flows, html.Flow{From: from, To: to, Protocol: "TCP", Port: 1000 + i*13%9000,
			Class: classes[i%len(classes)], Reason: "netpol.yaml:9", Seen: seen(i%60, i*31, from.Name)})
	}
	return p
}

const evil = `</script><script>document.title='owned'</script><img src=x onerror="document.title='owned'">'"` + "`${1}<!--\u2028"

// hostilePage has markup wherever a trace or a manifest can put text.
func hostilePage() html.Page { return pageOf(evil) }

// tamePage is hostilePage with a word that does no harm.
func tamePage() html.Page { return pageOf("harmless") }

func pageOf(evil string) html.Page {
	p := tenPage()
	p.Title, p.Traces, p.Manifests, p.Notes, p.Advisor = evil, []string{evil}, []string{evil}, []string{evil}, evil
	p.Evidence.Nodes, p.Evidence.Off = []string{evil}, []string{evil}
	p.Evidence.Losses[0].Reason = evil
	p.Risks[0].Reason, p.Risks[1].Name = evil, evil
	p.Patches[0].File, p.Patches[0].Text = evil, "+"+evil+"\n-"+evil+"\n"
	w := &p.Workloads[0]
	w.Workload = policies.Workload{Namespace: evil, Kind: evil, Name: evil, Container: evil}
	w.Image = evil
	for i := range w.Findings {
		f := &w.Findings[i]
		f.Subject, f.Message, f.Evidence, f.Position.File = evil, evil, []string{evil}, evil
	}
	w.Syscalls[0] = html.Syscall{Name: evil, Risk: evil, Default: evil, Reason: evil, Phase: evil, Seen: seen(1, 1, evil)}
	w.Capabilities[0] = html.Capability{Name: evil, Need: html.Need(evil), Reason: evil, Seen: seen(1, 1, evil)}
	w.Capabilities[0].Verified, w.Capabilities[0].Failed = evil, evil
	w.Standing = &html.Standing{Today: evil, Could: evil + "!", Lines: []string{evil}}
	w.Policies[0].Name, w.Policies[0].Text, w.Policies[0].Kind = evil, evil+"\n"+evil+"\n", evil
	w.Policies[0].Notes = []string{evil}
	w.Policies[0].Proof.Summary, w.Policies[0].Proof.Failed = evil, []string{evil}
	w.Policies[0].Rules = []html.Rule{{First: 1, Last: 2, Facts: []string{"syscall/" + evil}}}
	w.Patches[0].File, w.Patches[0].Text = evil, "+"+evil+"\n-"+evil+"\n"
	p.Flows[0] = html.Flow{From: html.Peer{Namespace: evil, Name: evil}, To: html.Peer{Name: evil}, Protocol: evil, Port: 1,
		Class: policies.Class(evil), Reason: evil, Seen: seen(1, 1, evil)}
	return p
}
