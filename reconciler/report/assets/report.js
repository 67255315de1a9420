(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  const filters = one("#filters");
  if (!filters) return;

  const tables = all("table[data-d]").map((table) => ({
    table,
    direction: table.dataset.d,
    ends: [table.dataset.f, table.dataset.t],
    rows: all("tbody tr", table),
  }));
  const sections = all("section[data-section]");
  const actions = all("input[type=checkbox]", filters);
  const object = one("#object");
  const status = one("#shown");
  const total = tables.reduce((sum, each) => sum + each.rows.length, 0);
  const words = new Intl.NumberFormat("en");

  /* ---- the filters: rows, tables, sections and the picture follow them ---- */

  function show() {
    const wanted = new Set(actions.filter((box) => box.checked).map((box) => box.value));
    const drawn = new Set();
    let shown = 0;
    for (const { table, direction, ends, rows } of tables) {
      const fits = !object.value || ends.includes(object.value);
      let visible = 0;
      for (const row of rows) {
        row.hidden = !(fits && wanted.has(row.dataset.a));
        visible += row.hidden ? 0 : 1;
      }
      table.hidden = !visible;
      if (visible) drawn.add(direction);
      shown += visible;
    }
    for (const section of sections) section.hidden = !section.querySelector("table:not([hidden])");
    const reached = new Set();
    for (const arrow of arrows) {
      const off = !drawn.has(arrow.dataset.d);
      arrow.classList.toggle("off", off);
      if (!off) reached.add(arrow.dataset.f).add(arrow.dataset.t);
    }
    for (const node of nodes) node.classList.toggle("faint", !reached.has(node.dataset.n));
    status.textContent = `Showing ${words.format(shown)} of ${words.format(total)} changes`;
    one("#none").hidden = shown > 0;
  }

  function reset() {
    object.value = "";
    for (const box of actions) box.checked = true;
    show();
  }

  /* ---- the picture: hover or focus tells, click leads to the row ---- */

  const svg = one(".scroll svg");
  const arrows = svg ? all(".e", svg) : [];
  const nodes = svg ? all(".n", svg) : [];
  const peek = one("#peek");
  const hint = peek ? peek.textContent : "";

  function tell(element) {
    const told = element.querySelector("title") || arrows.find(same(element)).querySelector("title");
    const [first, ...rest] = told.textContent.split("\n");
    const name = document.createElement("b");
    name.textContent = first;
    peek.replaceChildren(name, rest.length ? ` ${rest.join(" · ")}` : "");
  }

  function same(element) {
    return (arrow) => arrow.dataset.d === element.dataset.d;
  }

  function light(element) {
    const node = element.dataset.n;
    const touches = (arrow) => [arrow.dataset.f, arrow.dataset.t].includes(node);
    const near = arrows.filter(node === undefined ? same(element) : touches);
    const ends = new Set(near.flatMap((arrow) => [arrow.dataset.f, arrow.dataset.t]));
    for (const arrow of arrows) arrow.classList.toggle("on", near.includes(arrow));
    for (const each of nodes) each.classList.toggle("on", each === element || ends.has(each.dataset.n));
    svg.classList.add("busy");
    tell(element);
  }

  function calm() {
    svg.classList.remove("busy");
    for (const each of [...arrows, ...nodes]) each.classList.remove("on");
    peek.textContent = hint;
  }

  function widen(arrow) {
    const line = arrow.querySelector(".line");
    if (!line) return;
    const hit = line.cloneNode();
    hit.setAttribute("class", "hit");
    hit.removeAttribute("marker-end");
    line.before(hit);
  }

  function listen() {
    arrows.forEach(widen);
    const entered = (event) => {
      const element = event.target.closest(".e, .n");
      if (element) light(element);
    };
    const left = (event) => {
      if (!event.relatedTarget || !svg.contains(event.relatedTarget) || event.relatedTarget === svg) calm();
    };
    /* On the frame: an SVG that listens for focus takes it itself. */
    const frame = svg.parentElement;
    frame.addEventListener("pointerover", entered);
    frame.addEventListener("pointerout", left);
    frame.addEventListener("focusin", entered);
    frame.addEventListener("focusout", left);
    frame.addEventListener("click", (event) => {
      const node = event.target.closest(".n");
      if (!node) return;
      event.preventDefault();
      object.value = node.dataset.n;
      show();
      one("#changes").scrollIntoView();
    });
  }

  /* ---- start ---- */

  filters.hidden = false;
  filters.addEventListener("change", show);
  one("#reset").addEventListener("click", reset);
  if (svg) {
    peek.hidden = false;
    listen();
  }
  addEventListener("beforeprint", () => {
    for (const details of all("details")) details.open = true;
  });
  show();
})();
