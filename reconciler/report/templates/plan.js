"use strict";
{
  const $ = (id) => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const boxes = all("#filters input[type=checkbox]");
  const text = $("find-text"), type = $("find-type"), found = $("found"), reset = $("show-all");
  const rows = all(".changes tbody tr").map((row) => {
    const [from, to] = all("bdi", row.cells[1]).map((name) => name.textContent);
    const origin = row.closest("section").classList[1];
    return {row, from, to, direction: `${from} → ${to}`, effect: row.classList[0], origin};
  });

  // Object types, then directions; the first choice is all of them.
  const choices = [() => true], places = new Map();
  const offer = (title, names, test) => {
    const group = document.createElement("optgroup");
    group.label = title;
    for (const name of [...new Set(names)].sort((a, b) => a.localeCompare(b, "en", {numeric: true}))) {
      group.append(new Option(name));
      places.set(`${title}: ${name}`, choices.length);
      choices.push((each) => test(each, name));
    }
    type.append(group);
  };
  offer("Object types", rows.flatMap((each) => [each.from, each.to]), (each, name) => each.from === name || each.to === name);
  offer("Directions", rows.map((each) => each.direction), (each, name) => each.direction === name);

  const update = () => {
    const hidden = new Set(boxes.filter((box) => !box.checked).map((box) => box.id.slice(5)));
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const each of rows) {
      const isShown = !hidden.has(each.origin) && !hidden.has(each.effect) && choices[type.selectedIndex](each)
        && words.every((word) => (each.text ??= each.row.textContent.toLowerCase()).includes(word));
      each.row.classList.toggle("off", !isShown);
      count += isShown;
    }
    const some = count < rows.length;
    for (const each of all("section.origin, section.portal")) {
      each.classList.toggle("off", some && !each.querySelector(".changes tbody tr:not(.off)"));
    }
    found.textContent = some ? `${count.toLocaleString("en")} of ${rows.length.toLocaleString("en")} changes shown` : "";
    reset.hidden = !some;
  };
  const showAll = () => {
    for (const box of boxes) box.checked = true;
    text.value = "";
    type.selectedIndex = 0;
  };

  $("filters").addEventListener("input", update);
  reset.addEventListener("click", () => { showAll(); update(); text.focus(); });
  // A cell of the matrix shows the rows of its direction; any other link shows what it leads to.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (!link) return;
    const cell = link.closest(".matrix td"), target = $(link.hash.slice(1));
    if (cell) {
      const to = cell.closest("table").rows[0].cells[cell.cellIndex].textContent;
      const direction = `${cell.parentElement.cells[0].textContent} → ${to}`;
      showAll();
      type.selectedIndex = places.get(`Directions: ${direction}`);
      update();
    } else if (target && !target.checkVisibility()) {
      showAll();
      update();
    }
  });
  window.addEventListener("beforeprint", () => { for (const each of all("details")) each.open = true; });
  window.addEventListener("pageshow", update);
  $("find").hidden = false;
}
