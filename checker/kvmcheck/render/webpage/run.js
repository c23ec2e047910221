// SPDX-License-Identifier: GPL-2.0-only
// A run as the panels want it: the data of the page with tables looked up, and the whole state at each position.
// Position 0 is the initial state, position n the state behind step n.

function openedRun(number) {
  const data = { ...PAGE.runs[number] };
  for (const key of ["names", "initial"]) data[key] = shared(data[key]);
  data.rows = data.rows.map((row) => ({ ...row, calls: shared(row.calls), held: shared(row.held) }));
  const rows = data.rows.map((row, index) => ({
    ...row,
    number: index + 1,
    thread: data.lanes[row.lane],
    calls: row.calls.map(callOf),
    changes: row.changes.map(changeOf),
    access: row.access === undefined ? "" : shared(row.access),
    named: (row.named ?? []).map((n) => ({ call: callOf(n.call), change: changeOf(n.change), early: n.early })),
  }));
  return { ...data, number, rows, states: statesOf(data), locks: locksOf(data) };
}

/** What runs have in common stands in the data once. */
function shared(number) {
  return PAGE.shared[number];
}

function callOf(number) {
  const [called, statement, kernel, label, decided, place] = shared(number);
  return { called, statement, kernel, label, decided, place };
}

function changeOf(number) {
  const [kind, name, before, after] = shared(number);
  return { kind, name, before, after };
}

function innermost(row) {
  return row.calls[row.calls.length - 1];
}

function statementText(call) {
  const said = call.decided ? `${call.statement} /* ${call.decided} */` : call.statement;
  return call.label ? `@${call.label} ${said}` : said;
}

function changeText(change) {
  if (change.kind === "local") return `${change.name} = ${change.after}`;
  const ghost = change.kind === "ghost" ? " (ghost)" : "";
  return `${change.name}: ${change.before} \u2192 ${change.after}${ghost}`;
}

/** `model/mmu2008.kvm:54`, or nothing. */
function placeText(place) {
  return place ? `${PAGE.sources[place[0]].path}:${place[1]}` : "";
}

function statesOf(data) {
  if (!data.names.length) return [];
  const states = [data.initial];
  for (const row of data.rows) {
    const next = states[states.length - 1].slice();
    for (const [index, value] of row.set ?? []) next[index] = shared(value);
    states.push(next);
  }
  return states;
}

/** The locks that somebody holds at some time: for each its name and, by position, who holds it. */
function locksOf(data) {
  const locks = new Map();
  data.rows.forEach((row, index) => {
    for (const [thread, names] of row.held) {
      for (const said of names) {
        const name = said.replace(/ \(read\)$/, "");
        if (!locks.has(name)) locks.set(name, []);
        const holders = locks.get(name);
        (holders[index + 1] ??= []).push({ thread, lane: data.lanes.indexOf(thread), reads: said !== name });
      }
    }
  });
  return [...locks].map(([name, holders]) => ({ name, holders }));
}

/** A sentence on a position, for whoever can't see the panels. */
function spoken(run, position) {
  const last = run.rows.length;
  if (position === 0 && last) return `The beginning, before step 1 of ${last}.`;
  if (position === 0) return run.broken ? `The initial state. Broken: ${run.broken.said}.` : "The initial state.";
  const row = run.rows[position - 1];
  const call = innermost(row);
  const parts = [`Step ${position} of ${last}, ${row.thread}${row.handler ? ", interrupt" : ""}: ${statementText(call)}`];
  const where = [call.called && `in ${call.called}`, placeText(call.place)].filter(Boolean).join(", ");
  if (where) parts.push(where);
  if (row.changes.length) parts.push(row.changes.map(changeText).join("; "));
  if (run.loop !== null && position > run.loop) parts.push("Repeated for ever");
  if (row.breaks && run.broken) parts.push(`Broken: ${run.broken.said}`);
  return `${parts.join(". ")}.`;
}
