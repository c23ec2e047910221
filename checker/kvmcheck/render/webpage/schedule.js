// SPDX-License-Identifier: GPL-2.0-only
// The schedule: a table that reads as a sequence diagram.  Time runs down; in the margin a bar for each lock while
// somebody holds it and a column for each counter, then a column for each thread.  Being a table, it is one for a
// screen reader too.

class Schedule {
  constructor(run, box, go) {
    this.box = box;
    this.rows = [];
    this.buttons = [];
    const body = make("tbody");
    this.addStart(run, body, go);
    run.rows.forEach((row, index) => {
      if (run.loop === index) body.append(loopRow(run, "From here on for ever:"));
      this.addStep(run, row, body, go);
    });
    if (run.loop !== null) body.append(loopRow(run, again(run)));
    box.replaceChildren(
      make("table", { class: "schedule" }, make("caption", { class: "unseen" }, "The schedule, a row for each step"), head(run), body),
    );
  }

  addStart(run, body, go) {
    const said = run.start.length ? `begins with ${run.start.join(", ")}` : "the beginning";
    const lanes = make("td", { colspan: Math.max(1, run.lanes.length) }, make("span", { class: "text dim" }, said));
    const row = make("tr", { class: "start" }, this.numberCell(0, go), ...barCells(run, 0), ...trackCells(run, 0), lanes);
    this.add(row, body, 0, go);
  }

  addStep(run, step, body, go) {
    const kinds = ["step", step.breaks && "breaks", run.loop !== null && step.number > run.loop && "again"];
    const row = make("tr", { class: kinds.filter(Boolean).join(" ") }, this.numberCell(step.number, go));
    row.append(...barCells(run, step.number), ...trackCells(run, step.number));
    run.lanes.forEach((_, lane) => {
      row.append(lane === step.lane ? stepCell(run, step) : make("td", { class: `lane lane-${lane % 6}` }));
    });
    this.add(row, body, step.number, go);
  }

  add(row, body, position, go) {
    row.addEventListener("click", () => go(position));
    this.rows.push(row);
    body.append(row);
  }

  numberCell(position, go) {
    const name = position ? `Step ${position}` : "The beginning";
    const button = make("button", { type: "button", tabindex: "-1", "aria-label": name, click: () => go(position) }, String(position));
    this.buttons.push(button);
    return make("th", { scope: "row" }, button);
  }

  show(position) {
    this.rows.forEach((row, at) => {
      const now = at === position;
      row.classList.toggle("now", now);
      row.classList.toggle("later", at > position);
      // One stop for the Tab key: the row that is shown.
      this.buttons[at].tabIndex = now ? 0 : -1;
      if (now) row.setAttribute("aria-current", "step");
      else row.removeAttribute("aria-current");
    });
    const row = this.rows[position];
    reveal(row.querySelector(".acts") ?? row, this.box);
  }
}

function head(run) {
  const cells = [make("th", { scope: "col" }, "#")];
  for (const lock of run.locks) cells.push(make("th", { scope: "col", class: "narrow text" }, make("span", {}, lock.name)));
  for (const index of run.tracks) cells.push(make("th", { scope: "col", class: "narrow text" }, make("span", {}, run.names[index])));
  run.lanes.forEach((name, lane) => cells.push(make("th", { scope: "col", class: `lane-${lane % 6} text` }, name)));
  return make("thead", {}, make("tr", {}, ...cells));
}

function stepCell(run, step) {
  const cell = make("td", { class: `lane lane-${step.lane % 6} acts` });
  const call = innermost(step);
  const before = run.rows.slice(0, step.number - 1).findLast((row) => row.lane === step.lane);
  const entered = `${step.handler ? "interrupt " : ""}${call.called}`.trim();
  const left = before && `${before.handler ? "interrupt " : ""}${innermost(before).called}`.trim();
  if (entered && entered !== left) {
    cell.append(make("div", { class: "dim text" }, call.kernel ? `${entered}: ${call.kernel}` : `${entered}:`));
  }
  for (const named of step.named) if (named.early) cell.append(aside(named));
  cell.append(make("div", { class: "statement text" }, statementText(call)));
  if (step.access && isOneOfSeveral(run, step)) cell.append(make("div", { class: "change text" }, step.access));
  const told = new Set(step.named.map((named) => changeText(named.change)));
  for (const change of step.changes) {
    if (change.kind !== "local" || !told.has(changeText(change))) cell.append(changeLine(change));
  }
  for (const named of step.named) if (!named.early) cell.append(aside(named));
  if (step.breaks && run.broken) cell.append(make("div", { class: "broken text" }, `\u21d2 ${run.broken.said}`));
  return cell;
}

/** Whether the step is one of several in a row that belong to one statement. */
function isOneOfSeveral(run, step) {
  const place = placeText(innermost(step).place);
  return [run.rows[step.number - 2], run.rows[step.number]].some(
    (near) => near && near.lane === step.lane && placeText(innermost(near).place) === place,
  );
}

function aside(named) {
  return make("div", { class: "aside" }, make("div", { class: "text" }, statementText(named.call)), changeLine(named.change));
}

function changeLine(change) {
  return make("div", { class: `change ${change.kind} text` }, changeText(change));
}

/** The bars of the locks: who holds each of them behind the step. */
function barCells(run, position) {
  return run.locks.map((lock) => {
    const cell = make("td", { class: "bar" });
    for (const holder of lock.holders[position] ?? []) {
      const same = (others) => (others ?? []).some((o) => o.thread === holder.thread && o.reads === holder.reads);
      const first = !same(lock.holders[position - 1]);
      const kinds = [`lane-${Math.max(0, holder.lane) % 6}`, first && "first", !same(lock.holders[position + 1]) && "last", holder.reads && "reads"];
      const said = `${lock.name}: ${holder.thread}${holder.reads ? ", for reading" : ""}`;
      cell.append(make("span", { class: `holds ${kinds.filter(Boolean).join(" ")}`, title: said }, unseen(said)));
    }
    return cell;
  });
}

function trackCells(run, position) {
  return run.tracks.map((index) => {
    const value = run.states[position][index];
    const changed = position > 0 && run.states[position - 1][index] !== value;
    return make("td", { class: changed ? "track changed text" : "track text" }, changed ? make("mark", {}, value) : value);
  });
}

function loopRow(run, said) {
  const columns = 1 + Math.max(1, run.lanes.length) + run.locks.length + run.tracks.length;
  return make("tr", { class: "loop" }, make("td", { colspan: columns }, said));
}

/** How a run without an end goes on behind its last step. */
function again(run) {
  const last = run.rows.length;
  if (run.loop === last) return "Nothing happens any more.";
  if (run.loop === last - 1) return `Step ${last} again, and so on for ever.`;
  return `Steps ${run.loop + 1} to ${last} again, and so on for ever.`;
}
