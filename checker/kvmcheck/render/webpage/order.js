// SPDX-License-Identifier: GPL-2.0-only
// The happens-before graph: a column for each thread, time runs down, and an arrow for what orders two threads.
// The same is a list in the panel "Why", for whoever can't see it.

const STEP_HEIGHT = 26;
const LANE_WIDTH = 260;
const FIRST_WIDTH = 270;
const MOST_SIGNS = 32;
const HEAD_HEIGHT = 34;

class OrderGraph {
  constructor(run, box, go) {
    this.nodes = [];
    const width = FIRST_WIDTH + Math.max(1, run.lanes.length) * LANE_WIDTH;
    const height = HEAD_HEIGHT + run.rows.length * STEP_HEIGHT + 16;
    const many = run.order.length === 1 ? "1 ordering" : `${run.order.length} orderings`;
    const svg = draw("svg", {
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": `What happens before what: ${run.rows.length} steps of ${run.lanes.length} threads, ${many} between them; the panel "Why" lists them`,
    });
    svg.append(arrowHeads());
    run.lanes.forEach((name, lane) => {
      const x = laneAt(lane);
      svg.append(draw("text", { x, y: 20, class: "head", "text-anchor": "middle" }, cut(name, MOST_SIGNS)));
      svg.append(draw("line", { x1: x, y1: HEAD_HEIGHT - 6, x2: x, y2: height - 8, class: `life lane-${lane % 6}` }));
    });
    for (const ordering of run.order) svg.append(orderArrow(run, ordering));
    for (const row of run.rows) svg.append(this.node(row, go));
    box.replaceChildren(svg);
  }

  node(row, go) {
    const x = laneAt(row.lane);
    const y = stepAt(row.number);
    const kinds = `node lane-${row.lane % 6}${row.breaks ? " breaks" : ""}`;
    const said = `${row.number} ${statementText(innermost(row))}`;
    const node = draw(
      "g",
      { class: kinds, click: () => go(row.number) },
      draw("title", {}, said),
      draw("circle", { cx: x, cy: y, r: 6 }),
      // The first column's texts stand to the left of it, so that arrows have the room between the columns.
      draw("text", { x: row.lane ? x + 12 : x - 12, y: y + 4, "text-anchor": row.lane ? "start" : "end" }, cut(said, MOST_SIGNS)),
    );
    this.nodes.push(node);
    return node;
  }

  show(position) {
    this.nodes.forEach((node, index) => {
      node.classList.toggle("now", index + 1 === position);
      node.classList.toggle("later", index + 1 > position);
    });
  }
}

function laneAt(lane) {
  return FIRST_WIDTH + lane * LANE_WIDTH;
}

function stepAt(number) {
  return HEAD_HEIGHT + (number - 0.5) * STEP_HEIGHT;
}

function orderArrow(run, ordering) {
  const from = run.rows[ordering.first[1] - 1];
  const to = run.rows[ordering.second[1] - 1];
  if (!from || !to) return draw("g", {});
  const [x, y, toX, toY] = [laneAt(from.lane), stepAt(from.number), laneAt(to.lane), stepAt(to.number)];
  const side = toX > x ? 1 : -1;
  const about = ordering.about.join(", ") || (ordering.under && `under ${ordering.under}`) || "";
  const path = `M ${x + 7 * side} ${y} C ${x + 70 * side} ${y} ${toX - 70 * side} ${toY} ${toX - 8 * side} ${toY}`;
  const said = `${ordering.first[2]} before ${ordering.second[2]}${about ? `: ${about}` : ""}`;
  const kind = ordering.need === "needed" ? "needed" : "other";
  const label = draw("text", { x: (x + toX) / 2, y: (y + toY) / 2 - 4, "text-anchor": "middle", class: "label" }, cut(about, 34));
  return draw("g", { class: `arrow ${kind}` }, draw("title", {}, said), draw("path", { d: path, "marker-end": `url(#head-${kind})` }), label);
}

function arrowHeads() {
  const heads = ["needed", "other"].map((kind) =>
    draw(
      "marker",
      { id: `head-${kind}`, class: kind, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto", markerUnits: "userSpaceOnUse" },
      draw("path", { d: "M 0 0 L 8 4 L 0 8 z" }),
    ),
  );
  return draw("defs", {}, ...heads);
}
