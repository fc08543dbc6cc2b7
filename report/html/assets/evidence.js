
// Evidence: the rows of the tables, brought to what was clicked.

// Rows of system calls have ids only where a link leads to them: number them.
for (const table of document.querySelectorAll(".syscalls")) {
  const workload = table.closest(".body").id;
  [...table.querySelectorAll("tbody tr:not(.group)")].forEach((row, i) => { row.id = workload + "s" + i; });
}

const panel = byId("panel");
let opener = null;

// rowFacts is a row as a list of its columns' names and contents.
function rowFacts(row) {
  const heads = [...row.closest("table").tHead.rows[0].cells];
  const list = make("dl");
  [...row.cells].forEach((cell, i) => {
    if (!cell.textContent.trim()) return;
    const value = make("dd");
    for (const n of cell.childNodes) value.append(n.cloneNode(true));
    for (const d of value.querySelectorAll("details")) d.open = true;
    list.append(make("dt", "", heads[i].textContent), value);
  });
  return list;
}

// showRows opens the panel on the rows of these ids.
function showRows(title, ids, from) {
  const rows = ids.map(byId).filter((e) => e && e.tagName === "TR");
  if (!rows.length) return;
  byId("panel-title").textContent = title;
  byId("panel-body").replaceChildren(...rows.map((row) => {
    const facts = rowFacts(row);
    const go = make("a", "", "Show in the table");
    go.href = "#" + row.id;
    facts.append(make("dt"), make("dd"));
    facts.lastChild.append(go);
    return facts;
  }));
  opener = from || document.activeElement;
  panel.hidden = false;
  panel.scrollTop = 0;
  panel.focus({ preventScroll: true });
}
function closePanel() {
  if (panel.hidden) return;
  panel.hidden = true;
  if (opener) opener.focus({ preventScroll: true });
}
byId("panel-close").addEventListener("click", closePanel);
addEventListener("keydown", (e) => { if (e.key === "Escape") closePanel(); });

// A link to a row shows it here; one inside the panel goes there.
document.addEventListener("click", (e) => {
  const link = e.target.closest && e.target.closest("a[href^='#']");
  if (!link || panel.contains(link) || e.ctrlKey || e.metaKey) return;
  const row = byId(link.hash.slice(1));
  if (!row || row.tagName !== "TR") return;
  e.preventDefault();
  showRows(row.closest("table").dataset.what + " " + link.title, [row.id], link);
});

// linkRules makes the lines of a policy lead to what they are there for. One
// of them is in the order of the Tab key, arrows go to the others.
function linkRules(pre) {
  const rules = data.rules[pre.id];
  if (!rules || pre.dataset.linked) return;
  pre.dataset.linked = "yes";
  const at = new Map();
  for (const r of rules) for (let n = r[0]; n <= r[1]; n++) at.set(n, (at.get(n) || []).concat(r.slice(2)));
  const lines = pre.textContent.split(/(?<=\n)/);
  pre.replaceChildren(...lines.map((text, i) => at.has(i + 1) ? ruleLine(text, at.get(i + 1)) : text));
  const first = pre.querySelector(".ln");
  if (first) first.tabIndex = 0;
}
function ruleLine(text, ids) {
  const line = make("span", "ln", text);
  line.setAttribute("role", "button");
  line.tabIndex = -1;
  line.title = "Show the evidence";
  line.addEventListener("click", () => {
    if (getSelection().isCollapsed) showRows(text.trim(), [...new Set(ids)], line);
  });
  line.addEventListener("keydown", (e) => ruleKey(e, line));
  return line;
}
function ruleKey(e, line) {
  const all = [...line.parentElement.querySelectorAll(".ln")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
  if (e.key === "Enter" || e.key === " ") line.click();
  else if (step) (all[all.indexOf(line) + step] || line).focus();
  else return;
  e.preventDefault();
}
for (const d of document.querySelectorAll("details.doc")) {
  const link = () => { if (d.open) d.querySelectorAll("pre.policy").forEach(linkRules); };
  d.addEventListener("toggle", link);
  link();
}
