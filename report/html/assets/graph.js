
// The graph of flows. Nodes and edges come from the page's data; up to
// MAX_EDGES all are drawn, beyond it each namespace begins folded into a node.

const MAX_EDGES = 60;
const OUTSIDE = "outside";
const SIGNS = { ok: "", missing: "! ", invalid: "× ", unprotected: "○ ", excess: "− ", unknown: "? " };
const many = (n, noun) => n + " " + noun + (n === 1 ? "" : "s");
const nsOf = (node) => node.ns || OUTSIDE;

const nodes = new Map(data.graph.nodes.map((n) => [n.id, n]));
const spaces = [...new Set(data.graph.nodes.map(nsOf))];
const foldable = data.graph.edges.length > MAX_EDGES && spaces.length > 1;
const unfolded = new Set(foldable ? [] : spaces);

// shownAs is the id of what a node is drawn as: itself or its namespace.
const shownAs = (node) => unfolded.has(nsOf(node)) ? node.id : "ns:" + nsOf(node);

// drawnEdges merges what runs between the same two drawn nodes in one class.
// What stays inside a folded namespace is counted in its label instead.
function drawnEdges() {
  const edges = new Map(), inside = new Map();
  for (const e of data.graph.edges) {
    const s = shownAs(nodes.get(e.s)), t = shownAs(nodes.get(e.t));
    if (s === t && s.startsWith("ns:")) {
      inside.set(s, (inside.get(s) || []).concat(e));
      continue;
    }
    const key = s + " " + t + " " + e.c;
    const known = edges.get(key);
    if (!known) edges.set(key, { id: key, source: s, target: t, c: e.c, l: e.l, f: e.f });
    else known.f = known.f.concat(e.f), known.l = many(known.f.length, "flow");
  }
  return { edges: [...edges.values()], inside };
}

function foldedLabel(space, inside) {
  const members = data.graph.nodes.filter((n) => nsOf(n) === space);
  const flows = inside.reduce((n, e) => n + e.f.length, 0);
  const bad = inside.filter((e) => e.c === "missing").reduce((n, e) => n + e.f.length, 0);
  return space + "\n" + many(members.length, space === OUTSIDE ? "peer" : "workload") +
    (flows ? "\n" + many(flows, "flow") + " inside" : "") + (bad ? "\n! " + bad + " not allowed" : "");
}

// elements is what cytoscape draws now.
function elements() {
  const { edges, inside } = drawnEdges();
  const out = [];
  for (const space of spaces) {
    const id = "ns:" + space;
    const kind = space === OUTSIDE ? " outside" : "";
    if (!unfolded.has(space)) {
      out.push({ data: { id, space, label: foldedLabel(space, inside.get(id) || []) }, classes: "folded" + kind });
      continue;
    }
    out.push({ data: { id, space, label: space }, classes: "space" + kind });
    for (const n of data.graph.nodes) {
      if (nsOf(n) === space) out.push({ data: { id: n.id, parent: id, label: n.name, w: n.w } , classes: "peer" + kind });
    }
  }
  for (const e of edges) out.push({ data: { ...e, label: SIGNS[e.c] + e.l }, classes: "c-" + e.c });
  return out;
}

const box = byId("graph");
let cy = null;

function layout() {
  const wide = box.clientWidth > 700;
  cy.layout({
    name: "dagre", rankDir: wide ? "LR" : "TB", ranker: "network-simplex",
    nodeSep: wide ? 18 : 14, edgeSep: 8, rankSep: wide ? 90 : 60, padding: 24, fit: true, animate: false,
  }).run();
  if (cy.zoom() > 1.25) { cy.zoom(1.25); cy.center(); }
}

function redraw() {
  cy.elements().remove();
  cy.add(elements());
  cy.style(graphStyle(cy.edges().length));
  layout();
}

// show brings up the evidence behind a node or an edge.
function show(e) {
  const edges = e.isEdge() ? e : e.connectedEdges();
  const rows = [...new Set(edges.map((x) => x.data("f")).flat())].sort(byNumber);
  const name = e.isEdge() ? title(e.source()) + " → " + title(e.target()) : title(e);
  focusOn(e);
  showRows(name, rows, box);
}
const byNumber = (a, b) => a.slice(1) - b.slice(1);
const title = (n) => (n.data("label") || "").split("\n")[0];

// focusOn dims all but one element and what it touches.
function focusOn(e) {
  cy.elements().removeClass("here faded");
  if (!e) return;
  const near = e.isEdge() ? e.union(e.connectedNodes()) : e.union(e.connectedEdges()).union(e.neighborhood());
  cy.elements().not(near.union(near.parents()).union(near.children())).addClass("faded");
  e.addClass("here");
}

// activate is a click or Enter: fold and unfold namespaces, else show.
function activate(e) {
  const space = e.data("space");
  if (!space) return show(e);
  if (!foldable) return;
  if (unfolded.has(space)) unfolded.delete(space);
  else unfolded.add(space);
  redraw();
  say(space + (unfolded.has(space) ? " unfolded" : " folded"));
}

// The nearest node in the direction of an arrow key.
let current = null;
function step(dx, dy) {
  const all = cy.nodes().filter((n) => !n.isParent());
  if (!current || !cy.getElementById(current).length) return all.first();
  const from = cy.getElementById(current).position();
  let best = null, least = Infinity;
  all.forEach((n) => {
    const p = n.position(), along = (p.x - from.x) * dx + (p.y - from.y) * dy;
    const aside = Math.abs((p.x - from.x) * dy) + Math.abs((p.y - from.y) * dx);
    if (n.id() !== current && along > 1 && along + 2 * aside < least) least = along + 2 * aside, best = n;
  });
  return best;
}
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
function graphKey(e) {
  if (ARROWS[e.key]) {
    const n = step(...ARROWS[e.key]);
    if (n) current = n.id(), focusOn(n), say(n.data("label") + ", " + many(n.connectedEdges().length, "edge"));
  } else if ((e.key === "Enter" || e.key === " ") && current) activate(cy.getElementById(current));
  else if (e.key === "Escape") focusOn(null);
  else if (e.key === "+" || e.key === "=") zoom(1.25);
  else if (e.key === "-") zoom(0.8);
  else return;
  e.preventDefault();
}

function zoom(by) {
  cy.zoom({ level: cy.zoom() * by, renderedPosition: { x: box.clientWidth / 2, y: box.clientHeight / 2 } });
}

// unpack runs the library: compressed it is a third of its size.
async function unpack() {
  const packed = Uint8Array.from(atob(byId("library").content.textContent), (c) => c.charCodeAt(0));
  const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = make("script", "", await new Response(plain).text());
  document.head.append(script);
}

function start() {
  byId("graph-box").hidden = false;
  // The wheel belongs to the page; with Ctrl, or pinched, it zooms the graph.
  cy = cytoscape({
    container: box, minZoom: 0.15, maxZoom: 3, autoungrabify: false, boxSelectionEnabled: false,
    userZoomingEnabled: matchMedia("(pointer: coarse)").matches, pixelRatio: Math.max(devicePixelRatio, 1.5),
  });
  redraw();
  cy.on("tap", (e) => {
    if (e.target === cy) return focusOn(null);
    if (e.target.isNode()) current = e.target.id();
    activate(e.target);
  });
  cy.on("mouseover", "edge, node.peer, node.folded", (e) => { e.target.addClass("hover"); box.style.cursor = "pointer"; });
  cy.on("mouseout", "edge, node", (e) => { e.target.removeClass("hover"); box.style.cursor = ""; });
  box.addEventListener("keydown", graphKey);
  box.addEventListener("wheel", (e) => {
    if (!e.ctrlKey && !e.metaKey) return;
    e.preventDefault();
    zoom(e.deltaY < 0 ? 1.1 : 0.9);
  }, { passive: false });
  byId("graph-fit").addEventListener("click", () => cy.fit(undefined, 24));
  byId("graph-in").addEventListener("click", () => zoom(1.25));
  byId("graph-out").addEventListener("click", () => zoom(0.8));
  byId("graph-hint").textContent = foldable
    ? many(data.graph.edges.length, "edge") + ": folded by namespace. Click a namespace to unfold it, an edge for its evidence."
    : "Click an edge or a workload for its evidence. Arrow keys and Enter do the same.";
  for (const [id, list] of [["graph-fold", []], ["graph-unfold", spaces]]) {
    byId(id).hidden = !foldable;
    byId(id).addEventListener("click", () => {
      unfolded.clear();
      list.forEach((s) => unfolded.add(s));
      redraw();
    });
  }
  addEventListener("themechange", () => cy.style(graphStyle(cy.edges().length)));
  let width = box.clientWidth;
  new ResizeObserver(() => {
    if (!box.clientWidth || box.clientWidth === width) return;
    width = box.clientWidth;
    cy.resize();
    layout();
  }).observe(box);
}
unpack().then(start);

// A canvas prints as what is on the screen; a picture in print colours does not.
addEventListener("beforeprint", () => {
  if (!cy) return;
  const picture = byId("graph-print") || make("img");
  picture.id = "graph-print";
  picture.alt = "Graph of flows; the table has the same";
  focusOn(null);
  withPrintColours(() => {
    cy.style(graphStyle(cy.edges().length));
    picture.src = cy.png({ full: true, scale: 2, bg: "#ffffff", maxWidth: 3000, maxHeight: 3000 });
  });
  cy.style(graphStyle(cy.edges().length));
  box.after(picture);
});
