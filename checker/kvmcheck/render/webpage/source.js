// SPDX-License-Identifier: GPL-2.0-only
// The text of the spec with the current line lit, and the calls that lead to it.

class Source {
  constructor(box, heading, stack) {
    this.box = box;
    this.heading = heading;
    this.stack = stack;
    this.shown = null;
    this.lines = [];
  }

  /** The step's own statement, and its callers to choose from. */
  showStep(row) {
    if (!row) {
      this.stack.replaceChildren();
      this.light(null, []);
      return;
    }
    const places = row.calls.map((call) => call.place);
    this.stack.replaceChildren(
      ...row.calls.map((call) => {
        const said = `${call.called || row.thread}: ${cut(statementText(call), 60)}`;
        const show = () => this.light(call.place, places);
        return make("li", {}, make("button", { type: "button", class: "text", click: show, disabled: !call.place }, said));
      }),
    );
    this.light(innermost(row).place, places);
  }

  /** Show a place; `places`: others that are marked in the same text. */
  light(place, places) {
    if (!place) {
      for (const line of this.lines) unlit(line);
      if (!this.lines.length) this.heading.textContent = "Source";
      return;
    }
    const [number, at] = place;
    if (this.shown !== number) this.open(number);
    this.heading.textContent = `${PAGE.sources[number].path}:${at}`;
    this.lines.forEach(unlit);
    for (const other of places) {
      if (other && other[0] === number) this.lines[other[1] - 1]?.classList.add("caller");
    }
    const line = this.lines[at - 1];
    if (line) {
      line.classList.add("lit");
      line.setAttribute("aria-current", "true");
      reveal(line, this.box);
    }
  }

  open(number) {
    const { text } = PAGE.sources[number];
    this.shown = number;
    if (text === null) {
      this.lines = [];
      this.box.replaceChildren(make("p", { class: "dim" }, "The text of this file is not in the report."));
      return;
    }
    this.lines = text.split("\n").map((line) => make("li", {}, make("code", { class: "text" }, line)));
    this.box.replaceChildren(make("ol", { class: "code" }, ...this.lines));
    this.box.scrollTop = 0;
  }
}

function unlit(line) {
  line.classList.remove("lit", "caller");
  line.removeAttribute("aria-current");
}
