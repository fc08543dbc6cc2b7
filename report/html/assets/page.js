// The page is complete without scripts. These add what only they can: they set
// text and move elements that are there, and never parse markup.

const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

function make(name, className, text) {
  const e = document.createElement(name);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
}

// say tells a screen reader what has changed.
function say(text) { byId("say").textContent = text; }

// reveal opens everything around an element and goes there.
function reveal(e) {
  for (let d = e; d; d = d.parentElement) if (d.tagName === "DETAILS") d.open = true;
  e.scrollIntoView({ block: "start" });
}
function revealHash() {
  const e = location.hash.length > 1 && byId(decodeURIComponent(location.hash.slice(1)));
  if (e) reveal(e);
}
addEventListener("hashchange", revealHash);
revealHash();

// Light and dark: what the system says until the reader says otherwise.
const dark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
byId("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  dispatchEvent(new Event("themechange"));
});
dark.addEventListener("change", () => dispatchEvent(new Event("themechange")));

const filter = byId("filter");
filter.hidden = document.querySelectorAll(".workload").length < 2;
filter.addEventListener("input", () => {
  const want = filter.value.trim().toLowerCase();
  const names = new Map();
  for (const d of document.querySelectorAll(".workload")) {
    names.set(d.dataset.w, d.querySelector("summary").textContent.toLowerCase());
  }
  for (const e of document.querySelectorAll("[data-w]")) {
    e.hidden = !(names.get(e.dataset.w) || "").includes(want);
  }
  const shown = [...names.values()].filter((n) => n.includes(want)).length;
  say(shown + " of " + names.size + " workloads shown");
});
document.querySelector(".tools").hidden = false;

// copyText falls back to a selection where the clipboard is refused.
async function copyText(pre) {
  try {
    await navigator.clipboard.writeText(pre.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(pre);
    return document.execCommand("copy");
  }
}
for (const box of document.querySelectorAll(".copy")) {
  const button = make("button", "", "Copy");
  button.type = "button";
  button.addEventListener("click", async () => {
    button.textContent = await copyText(box.querySelector("pre")) ? "Copied" : "Selected";
    say(button.textContent);
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  box.append(button);
}

// On paper the articles and the flows are open; policies and the long tables of
// system calls are there when the reader has opened them.
let closed = [];
addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll(".workload:not([open]), .flows:not([open]), .more:not([open])")];
  for (const d of closed) d.open = true;
});
addEventListener("afterprint", () => { for (const d of closed) d.open = false; closed = []; });
