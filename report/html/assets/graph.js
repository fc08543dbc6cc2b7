
// The graph of flows. Nodes and edges come from the page's data; up to
// MAX_EDGES all are drawn, beyond it each namespace begins folded into a node.

const MAX_EDGES = 60;
const OUTSIDE = "outside";
const SIGNS = { ok: "", missing: "! ", invalid: "× ", unprotected: "○ ", excess: "− ", unknown: "? " };
const WORST = ["missing", "invalid", "unprotected", "excess", "unknown", "ok"];
const many = (n, noun) => n + " " + noun + (n === 1 ? "" : "s");
const nsOf = (node) => node.ns || OUTSIDE;

const nodes = new Map(data.graph.nodes.map((n) => [n.id, n]));
const spaces = [...new Set(data.graph.nodes.map(nsOf))];
const foldable = data.graph.edges.length > MAX_EDGES && spaces.length > 1;
const unfolded = new Set(foldable ? [] : spaces);

// shownAs is the id of what a node is drawn as: itself or its namespace.
const shownAs = (node) => unfolded.has(nsOf(node)) ? node.id : "ns:" + nsOf(node);
const isFolded = (id) => id.startsWith("ns:");

// Classes of flows that the legend has switched off.
const off = new Set();

// drawnEdges are the edges between what is drawn now. Those of a folded
// namespace are one for each peer, in the worst class of what they stand for.
// What stays inside a folded namespace is counted in its label instead.
function drawnEdges() {
  const edges = new Map(), inside = new Map();
  for (const e of data.graph.edges) {
    if (off.has(e.c)) continue;
    const s = shownAs(nodes.get(e.s)), t = shownAs(nodes.get(e.t));
    const merged = isFolded(s) || isFolded(t);
    if (s === t && merged) {
      inside.set(s, (inside.get(s) || []).concat(e));
      continue;
    }
    const key = s + " " + t + (merged ? "" : " " + e.c);
    if (!edges.has(key)) edges.set(key, { id: key, source: s, target: t, parts: [] });
    edges.get(key).parts.push(e);
  }
  return { edges: [...edges.values()].map(mergedEdge), inside };
}

function mergedEdge({ id, source, target, parts }) {
  const worst = WORST.find((c) => parts.some((e) => e.c === c)) || "unknown";
  const f = parts.flatMap((e) => e.f);
  const bad = parts.filter((e) => e.c === worst).flatMap((e) => e.f);
  let label = parts.length === 1 ? parts[0].l.replace(", ", "\n") : many(f.length, "flow");
  if (worst !== "ok") label = SIGNS[worst] + (bad.length < f.length ? bad.length + " of " : "") + label;
  return { id, source, target, c: worst, label, f };
}

function foldedLabel(space, inside) {
  const members = data.graph.nodes.filter((n) => nsOf(n) === space);
  const flows = inside.reduce((n, e) => n + e.f.length, 0);
  const bad = inside.filter((e) => e.c === "missing").reduce((n, e) => n + e.f.length, 0);
  return space + "\n" + many(members.length, space === OUTSIDE ? "peer" : "workload") +
    (flows ? "\n" + many(flows, "flow") + " inside" : "") + (bad ? "\n! " + bad + " not allowed" : "");
}

// elements is what cytoscape draws now. Peers outside are in no box: they are
// at both ends of everything.
function elements() {
  const { edges, inside } = drawnEdges();
  const out = [];
  for (const space of spaces) {
    const id = "ns:" + space, kind = space === OUTSIDE ? " outside" : "", boxed = unfolded.has(space) && !kind;
    if (!unfolded.has(space)) {
      out.push({ data: { id, space, label: foldedLabel(space, inside.get(id) || []) }, classes: "folded" + kind });
      continue;
    }
    if (boxed) out.push({ data: { id, space, label: space }, classes: "space" });
    for (const n of data.graph.nodes) {
      if (nsOf(n) !== space) continue;
      out.push({ data: { id: n.id, parent: boxed ? id : undefined, label: n.name }, classes: "peer" + kind });
    }
  }
  return out.concat(edges.map((e) => ({ data: e, classes: "c-" + e.c })));
}

const box = byId("graph");
let cy = null;

// way is an edge as short straight lines: between its control points it is a
// chain of quadratic curves.
function way(e) {
  const bends = e.controlPoints() || [], points = [e.sourceEndpoint()];
  const mix = (a, b, t) => ({ x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t });
  bends.forEach((bend, i) => {
    const from = points.at(-1), to = i + 1 < bends.length ? mix(bend, bends[i + 1], 0.5) : e.targetEndpoint();
    for (const t of [0.25, 0.5, 0.75, 1]) points.push(mix(mix(from, bend, t), mix(bend, to, t), t));
  });
  return bends.length ? points : [...points, e.targetEndpoint()];
}

// along is the point that far along the lines, and the length of all of them.
function along(points, far) {
  let length = 0, at = points[0];
  for (let i = 1; i < points.length; i++) {
    const a = points[i - 1], b = points[i], step = Math.hypot(b.x - a.x, b.y - a.y);
    if (length <= far && far < length + step) at = { x: a.x + (b.x - a.x) * (far - length) / step, y: a.y + (b.y - a.y) * (far - length) / step };
    length += step;
  }
  return { at, length };
}

// settleLabels finds a place for each edge's label that no node and no other
// label has, as near to the middle as there is one.
function settleLabels() {
  const taken = cy.nodes().filter((n) => !n.isParent()).map((n) => n.boundingBox());
  const free = (r) => taken.every((o) => r.x1 > o.x2 || r.x2 < o.x1 || r.y1 > o.y2 || r.y2 < o.y1);
  cy.edges().forEach((e) => {
    const lines = e.data("label").split("\n"), points = way(e), { length } = along(points, 0);
    const w = 6 + 5.8 * Math.max(...lines.map((l) => l.length)), h = 4 + 12 * lines.length;
    const places = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82].map((share) => {
      const { at } = along(points, share * length);
      return { far: share * length, x1: at.x - w / 2, x2: at.x + w / 2, y1: at.y - h / 2, y2: at.y + h / 2 };
    });
    const place = places.find(free) || places[0];
    taken.push(place);
    e.scratch("labelAt", place.far);
  });
  cy.style().update();
}

// layout places everything and gives the box the height that this takes.
function layout() {
  const wide = box.clientWidth > 700;
  cy.layout({
    name: "dagre", rankDir: wide ? "LR" : "TB", ranker: "network-simplex", useDagreEdgeControlPoints: true,
    nodeSep: wide ? 16 : 14, edgeSep: 12, rankSep: wide ? 95 : 60, fit: false, animate: false,
    nodeDimensionsIncludeLabels: true,
  }).run();
  settleLabels();
  const all = cy.elements().boundingBox(), margin = 28;
  const zoom = Math.min(1.15, (box.clientWidth - 2 * margin) / all.w);
  const height = Math.min(Math.max(all.h * zoom + 2 * margin, 180), innerHeight * 0.8);
  box.style.height = Math.round(height) + "px";
  cy.resize();
  fit();
}
function fit() {
  cy.fit(undefined, 28);
  if (cy.zoom() > 1.15) { cy.zoom(1.15); cy.center(); }
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

// legendSwitches lets the legend take classes out of the picture.
function legendSwitches() {
  for (const item of document.querySelectorAll("#network .legend li")) {
    const button = make("button");
    button.type = "button";
    button.title = "Show or hide in the graph";
    button.setAttribute("aria-pressed", "true");
    button.append(...item.childNodes);
    button.addEventListener("click", () => {
      const c = item.dataset.c, on = off.delete(c);
      if (!on) off.add(c);
      button.setAttribute("aria-pressed", on);
      redraw();
    });
    item.append(button);
  }
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
  byId("graph-fit").addEventListener("click", fit);
  byId("graph-in").addEventListener("click", () => zoom(1.25));
  byId("graph-out").addEventListener("click", () => zoom(0.8));
  byId("graph-hint").textContent = foldable
    ? many(data.graph.edges.length, "edge") + ": folded by namespace. Click a namespace to unfold it, an edge for its evidence."
    : "Click an edge or a workload for its evidence. Arrow keys and Enter do the same.";
  byId("graph-fold").hidden = !foldable;
  byId("graph-fold").addEventListener("click", () => { unfolded.clear(); redraw(); });
  legendSwitches();
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
