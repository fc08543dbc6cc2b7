
// How the graph looks, in the colours of the style sheet.

// colour resolves a custom property, which getComputedStyle leaves as written.
function colour(name) {
  const probe = make("span", "unseen");
  probe.style.color = "var(--" + name + ")";
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
function withPrintColours(draw) {
  const root = document.documentElement, before = root.dataset.theme;
  root.dataset.theme = "light";
  draw();
  if (before) root.dataset.theme = before;
  else delete root.dataset.theme;
}

// labelWidth measures the longest line of a node's label, as it is drawn.
const pen = make("canvas").getContext("2d");
function labelWidth(label, font) {
  pen.font = "12px " + font;
  return Math.min(180, Math.max(...label.split("\n").map((line) => pen.measureText(line).width))) + 2;
}

function graphStyle(edges) {
  const ink = colour("ink"), dim = colour("dim"), raised = colour("raised"), rule = colour("rule-strong");
  const bg = colour("bg"), accent = colour("accent");
  const font = getComputedStyle(document.body).fontFamily;
  const line = (name, more) => ({ selector: ".c-" + name, style: {
    "line-color": colour(name === "unknown" ? "dim" : name), "target-arrow-color": colour(name === "unknown" ? "dim" : name),
    color: colour(name === "unknown" ? "dim" : name), ...more,
  } });
  return [
    { selector: "node", style: {
      label: "data(label)", "font-family": font, "font-size": 12, color: ink, "text-valign": "center", "text-halign": "center",
      "text-wrap": "wrap", "text-max-width": 180, shape: "round-rectangle",
      width: (n) => labelWidth(n.data("label"), font), height: (n) => 15.6 * n.data("label").split("\n").length,
      padding: 8, "background-color": raised, "border-width": 1, "border-color": rule,
    } },
    { selector: "node.space", style: {
      "background-color": bg, "background-opacity": 0.6, "border-color": rule, "border-width": 1, "text-valign": "top", "text-halign": "center",
      "text-margin-y": -3, "font-size": 12, "font-weight": 600, color: dim, padding: 14,
    } },
    { selector: "node.folded", style: { "background-color": bg, "border-width": 1.5, "border-color": dim, padding: 12, "line-height": 1.35 } },
    { selector: "node.outside", style: { "border-style": "dashed" } },
    { selector: "edge", style: {
      // The way around other nodes that the layout found; see layout.
      width: 1.4, "curve-style": "unbundled-bezier", "edge-distances": "intersection",
      "control-point-weights": (e) => e.scratch("controlPointWeights") || [0.5],
      "control-point-distances": (e) => e.scratch("controlPointDistances") || [0], "text-wrap": "wrap",
      "target-arrow-shape": "triangle", "arrow-scale": 0.85,
      "source-label": edges > 24 ? "" : "data(label)", "source-text-offset": (e) => e.scratch("labelAt") || 1, "font-family": font, "font-size": 10, "text-background-color": raised,
      "text-background-opacity": 0.92, "text-background-padding": 2, "text-background-shape": "round-rectangle", "loop-direction": "-45deg",
    } },
    line("ok"),
    line("missing", { width: 3, "source-label": "data(label)", "font-weight": 600 }),
    line("invalid", { width: 3 }),
    line("excess", { "line-style": "dashed", "line-dash-pattern": [7, 4] }),
    line("unprotected", { width: 2.5, "line-style": "dotted" }),
    line("unknown", { "line-style": "dotted" }),
    { selector: ".faded", style: { opacity: 0.18 } },
    { selector: "node.space.faded", style: { opacity: 0.5 } },
    { selector: "node.here, node.hover", style: { "border-color": accent, "border-width": 2 } },
    { selector: "edge.here, edge.hover", style: { "source-label": "data(label)", width: 3.5, "z-index": 9 } },
  ];
}
