// SPDX-License-Identifier: GPL-2.0-only
// What is broken and why: the claim, the facts that make it false, the orderings that the run needs.

const NEEDS = [
  ["needed", "Needed: turned round, nothing breaks"],
  ["undecided", "Not decided"],
  ["untried", "What orders the threads"],
  ["free", "Not needed: it breaks the other way round too"],
  ["forced", "Forced: it can't be turned round"],
];

function brokenPanel(run, go, light) {
  const broken = run.broken;
  if (!broken) return [make("p", { class: "text" }, run.saved ? `${run.name} does not break.` : `${run.name} is reached.`)];
  const parts = [make("p", { class: "broken text" }, broken.said)];
  if (broken.claim) parts.push(make("pre", { class: "text" }, broken.claim));
  if (broken.place) {
    parts.push(make("p", {}, make("button", { type: "button", class: "text", click: () => light(broken.place) }, placeText(broken.place))));
  }
  if (broken.bindings.length) parts.push(make("p", { class: "text" }, `with ${broken.bindings.join(", ")}`));
  const facts = broken.facts.map(([text, since]) => {
    const item = make("li", {}, make("span", { class: "text" }, text));
    if (since !== null) item.append(" (since ", stepButton(since, `step ${since}`, go), ")");
    return item;
  });
  if (facts.length) parts.push(make("ul", {}, ...facts));
  return parts;
}

function whyPanel(run, go, light) {
  const parts = [];
  if (run.why) parts.push(...run.why.said.map((line) => make("p", { class: "text" }, line)));
  if (run.why) {
    const many = run.why.switches === 1 ? "1 context switch" : `${run.why.switches} context switches`;
    const fewest = run.why.fewest ? ", and no run with the same order has fewer" : "";
    parts.push(make("p", { class: "dim" }, `This run has ${many}${fewest}.`));
  }
  if (run.guard) {
    const show = () => light(run.guard.place);
    const said = make("button", { type: "button", class: "text", click: show, disabled: !run.guard.place }, run.guard.text);
    parts.push(make("p", {}, said));
  }
  if (run.near !== null) {
    parts.push(make("p", {}, make("a", { href: `#run-${run.near}` }, "How the unmodified model goes on")));
  }
  for (const [need, heading] of NEEDS) {
    const here = run.order.filter((ordering) => ordering.need === need);
    if (!here.length) continue;
    const list = make("ul", { class: `order ${need}` }, ...here.map((ordering) => orderItem(ordering, go)));
    const folded = need === "forced" || need === "free";
    parts.push(make("details", { open: !folded }, make("summary", {}, `${heading} (${here.length})`), list));
  }
  if (!parts.length) parts.push(make("p", { class: "dim" }, "Nothing orders the threads of this run."));
  return parts;
}

function orderItem(ordering, go) {
  const about = ordering.about.length ? `: ${ordering.about.join(", ")}` : ordering.under ? `: under ${ordering.under}` : "";
  const item = make("li", {}, momentButton(ordering.first, go), " before ", momentButton(ordering.second, go), make("span", { class: "text" }, about));
  if (ordering.schedule.length) {
    const steps = ordering.schedule.map(([thread, , name, place]) => make("li", { class: "text" }, `${thread}: ${name}  ${placeText(place)}`));
    item.append(make("details", {}, make("summary", {}, "the other way round, and nothing breaks"), make("ol", {}, ...steps)));
  }
  return item;
}

function momentButton([thread, step, name], go) {
  return stepButton(step, `${name} (${thread}, step ${step})`, go);
}

function stepButton(step, said, go) {
  return make("button", { type: "button", class: "text", click: () => go(step) }, said);
}
