// SPDX-License-Identifier: GPL-2.0-only
// The page: which run is open, at which position, and how keys and buttons move it.
// The address says both (`#run-3-step-12`), so that a step can be linked to and the browser's Back works.

const PAGE = JSON.parse(byId("data").textContent);
const TITLE = document.title;

const viewer = {
  run: null,
  position: 0,
  panels: [],
  source: new Source(byId("source"), byId("source-name"), byId("stack")),
  timer: 0,
};

function openRun(number) {
  stop();
  const run = openedRun(number);
  viewer.run = run;
  const light = (place) => viewer.source.light(place, []);
  byId("run-title").textContent = titleOf(run);
  byId("run-about").textContent = [run.of, run.title, run.scope].filter(Boolean).join(" \u2014 ");
  viewer.panels = [
    new Schedule(run, byId("schedule"), go),
    new StateTable(run, byId("state"), byId("everything")),
    new OrderGraph(run, byId("order"), go),
  ];
  byId("broken-name").textContent = run.broken ? "What is broken" : "What comes of it";
  byId("broken").replaceChildren(...brokenPanel(run, go, light));
  byId("why").replaceChildren(...whyPanel(run, go, light));
  byId("slider").max = String(run.rows.length);
  byId("report").hidden = true;
  byId("run").hidden = false;
}

function titleOf(run) {
  const steps = run.rows.length === 1 ? "1 step" : `${run.rows.length} steps`;
  if (run.saved) return `How the unmodified model keeps ${run.name}: ${steps}`;
  if (!run.broken) return `${run.name}: reached in ${steps}`;
  return run.rows.length ? `${run.name}: broken in ${steps}` : `${run.name}: broken in the initial state`;
}

function closeRun() {
  stop();
  const left = viewer.run;
  viewer.run = null;
  byId("run").hidden = true;
  byId("report").hidden = false;
  document.title = TITLE;
  if (left) document.querySelector(`a[href="#run-${left.number}"]`)?.focus();
}

/** Show a position of the open run; every panel follows. */
function show(position) {
  const { run } = viewer;
  viewer.position = Math.min(Math.max(position, 0), run.rows.length);
  const row = run.rows[viewer.position - 1];
  for (const panel of viewer.panels) panel.show(viewer.position);
  viewer.source.showStep(row);
  byId("slider").value = String(viewer.position);
  byId("count").textContent = `${viewer.position} of ${run.rows.length}`;
  byId("slider").setAttribute("aria-valuetext", `step ${viewer.position} of ${run.rows.length}`);
  byId("spoken").textContent = spoken(run, viewer.position);
  const ended = viewer.position === run.rows.length && (run.loop === null || run.loop === run.rows.length);
  // Not `disabled`: a button that has the focus would lose it.
  for (const id of ["first", "previous"]) byId(id).setAttribute("aria-disabled", viewer.position === 0);
  byId("next").setAttribute("aria-disabled", ended);
  byId("last").setAttribute("aria-disabled", viewer.position === run.rows.length);
  document.title = `${viewer.position}/${run.rows.length} ${run.name} \u2014 ${TITLE}`;
}

/** Show a position, and let the address say so, without an entry in the browser's history for each step. */
function go(position) {
  show(position);
  history.replaceState(null, "", `#run-${viewer.run.number}-step-${viewer.position}`);
}

/** One step on; behind the last step of a run without an end comes the first that is repeated. */
function forward() {
  const { run, position } = viewer;
  if (position < run.rows.length) go(position + 1);
  else if (run.loop !== null && run.loop < run.rows.length) go(run.loop + 1);
  else stop();
}

function play() {
  if (viewer.timer) return stop();
  if (viewer.position === viewer.run.rows.length && viewer.run.loop === null) go(0);
  viewer.timer = setInterval(forward, Number(byId("speed").value));
  byId("play").textContent = "Pause";
  return undefined;
}

function stop() {
  clearInterval(viewer.timer);
  viewer.timer = 0;
  byId("play").textContent = "Play";
}

const KEYS = {
  ArrowRight: () => forward(),
  ArrowLeft: () => go(viewer.position - 1),
  Home: () => go(0),
  End: () => go(viewer.run.rows.length),
  " ": () => play(),
};

function pressed(event) {
  if (!viewer.run || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  // What an element does with a key by itself comes first.
  if (event.target.closest("input, select")) return;
  if (event.key === " " && event.target.closest("button, summary, a")) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  if (event.key !== " ") stop();
  act();
}

/** What the address asks for. */
function route() {
  const asked = /^#run-(\d+)(?:-step-(\d+))?$/.exec(location.hash);
  const number = asked ? Number(asked[1]) : -1;
  if (!PAGE.runs[number]) {
    closeRun();
    if (location.hash.length > 1) byId(location.hash.slice(1))?.scrollIntoView();
    return;
  }
  if (viewer.run?.number !== number) {
    openRun(number);
    byId("run-title").focus();
    window.scrollTo(0, 0);
  }
  show(asked[2] === undefined ? 0 : Number(asked[2]));
}

byId("first").addEventListener("click", () => (stop(), go(0)));
byId("previous").addEventListener("click", () => (stop(), go(viewer.position - 1)));
byId("play").addEventListener("click", play);
byId("next").addEventListener("click", () => (stop(), forward()));
byId("last").addEventListener("click", () => (stop(), go(viewer.run.rows.length)));
byId("slider").addEventListener("input", (event) => (stop(), go(Number(event.target.value))));
byId("speed").addEventListener("change", () => viewer.timer && (stop(), play()));
document.addEventListener("keydown", pressed);
window.addEventListener("hashchange", route);
// On paper nothing can be unfolded.
window.addEventListener("beforeprint", () => document.querySelectorAll("#run details").forEach((part) => (part.open = true)));
document.documentElement.classList.add("scripted");
if (location.hash.length < 2 && PAGE.opens !== null) history.replaceState(null, "", `#run-${PAGE.opens}`);
route();
