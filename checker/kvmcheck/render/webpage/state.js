// SPDX-License-Identifier: GPL-2.0-only
// The whole state behind a step, with what the step changed marked and what it was before.

class StateTable {
  constructor(run, box, everything) {
    this.run = run;
    this.box = box;
    this.rows = [];
    const table = make("table", { class: "state" }, make("caption", { class: "unseen" }, "The state behind the step"));
    const shared = make("tbody", {}, groupRow("Shared"));
    const threads = make("tbody", {}, groupRow("Threads"));
    run.names.forEach((name, index) => {
      const value = make("td", { class: "text" });
      const row = make("tr", {}, make("th", { scope: "row", class: "text" }, name), value);
      // What never changes in the run is there for whoever asks.
      if (run.rows.every((step) => !(step.set ?? []).some(([at]) => at === index))) row.classList.add("constant");
      this.rows.push({ row, value });
      (index < run.threadsFrom ? shared : threads).append(row);
    });
    table.append(shared, threads);
    const known = run.names.length > 0;
    box.replaceChildren(known ? table : make("p", { class: "dim" }, "Only what changes is known of this run."));
    everything.closest("label").hidden = !known;
    const filter = () => box.classList.toggle("everything", everything.checked);
    everything.onchange = filter;
    filter();
  }

  show(position) {
    if (!this.run.names.length) return;
    const state = this.run.states[position];
    const before = position > 0 ? this.run.states[position - 1] : state;
    let first = null;
    this.rows.forEach(({ row, value }, index) => {
      const changed = state[index] !== before[index];
      row.classList.toggle("changed", changed);
      if (changed) {
        first ??= row;
        value.replaceChildren(make("del", {}, before[index]), " \u2192 ", make("mark", {}, state[index]));
      } else if (value.textContent !== state[index]) value.textContent = state[index];
    });
    if (first) reveal(first, this.box);
  }
}

function groupRow(said) {
  return make("tr", { class: "group" }, make("th", { colspan: "2", scope: "colgroup" }, said));
}
