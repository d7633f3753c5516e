"use strict";
// An enhancement only: everything on the page can be read without it. Text is set as text, never as markup.
(() => {
  const make = (tag, name, text) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text) element.textContent = text;
    return element;
  };
  const cut = (cell) => cell.textContent.replace(/\s+/g, " ").trim();

  // Numbers as the page writes them: a true minus, thousands, "< .001", "[low, high]".
  const number = (text) => {
    const found = text.replace(/,(?=\d{3})/g, "").replace(/\u2212/g, "-").match(/[-+]?\d*\.?\d+/);
    return found ? parseFloat(found[0]) - (text.startsWith("<") ? 1e-9 : 0) : null;
  };

  const sortable = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    if (body.rows.length < 2) return;
    heads.forEach((head, column) => {
      const numeric = head.classList.contains("num");
      const button = make("button", "sort", head.textContent);
      button.type = "button";
      button.title = "Sort";
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        const key = (row) => {
          const text = cut(row.cells[column]);
          return numeric ? number(text) : row.cells[column].dataset.rank || text;
        };
        const rows = [...body.rows].map((row) => [key(row), row]);
        rows.sort(([a], [b]) => {
          if (a === null || b === null) return (a === null) - (b === null); // what is not defined stays last
          const order = numeric ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
          return down ? -order : order;
        });
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        body.append(...rows.map(([, row]) => row));
      });
      head.replaceChildren(button);
    });
  };

  // One table of all findings, made of the tables of the audits.
  const COLUMNS = ["reading", "audit", "measure", "finding", "value", "interval", "n", "corrected p"];
  const NUMERIC = new Set(["value", "interval", "n", "corrected p"]);
  const READINGS = [...document.querySelectorAll(".tallies li")].map((item) => item.dataset.word);

  const finding = (row, places, cell, measure, unit) => {
    const text = (name) => (places[name] === undefined ? "" : cut(row.cells[places[name]]));
    const made = make("tr");
    const named = [...row.cells].slice(0, places.reading).map(cut).join(", ");
    const link = make("a", "", named);
    link.href = "#" + row.id;
    const value = text("value") + (unit && /\d/.test(text("value")) ? " " + unit : "");
    for (const words of [text("reading"), cell, measure, "", value, text("interval"), text("n"), text("corrected p")]) {
      made.append(make("td", NUMERIC.has(COLUMNS[made.cells.length]) ? "num" : "", words));
    }
    const reading = made.cells[0];
    const mark = row.querySelector(".reading .mark");
    if (mark) reading.prepend(mark.cloneNode(true));
    reading.dataset.rank = String(READINGS.indexOf(text("reading"))).padStart(2, "0");
    made.cells[3].append(link);
    made.dataset.reading = text("reading");
    return made;
  };

  const collect = () => {
    const rows = [];
    for (const table of document.querySelectorAll(".cell .records")) {
      const first = table.querySelector("tbody tr[id]");
      if (!first) continue;
      const cell = cut(table.closest(".cell").querySelector("h3"));
      const measure = table.closest(".estimates").querySelector("h5").firstChild.textContent.trim();
      const places = {};
      let unit = "";
      [...table.tHead.rows[0].cells].forEach((head, place) => {
        const [name, rest] = cut(head).split(", ");
        places[name] = place;
        if (name === "value" && rest) unit = rest;
      });
      for (const row of table.querySelectorAll("tbody tr[id]")) rows.push(finding(row, places, cell, measure, unit));
    }
    return rows;
  };

  const overview = (rows) => {
    const box = make("details", "all");
    const summary = make("summary");
    summary.append(make("h3", "", "All findings in one table"), " ", make("span", "count", String(rows.length)));
    const filters = make("fieldset", "filters");
    filters.append(make("legend", "", "Show"));
    const present = READINGS.filter((word) => rows.some((row) => row.dataset.reading === word));
    const boxes = present.map((word) => {
      const label = make("label");
      const tick = make("input");
      tick.type = "checkbox";
      tick.checked = true;
      tick.value = word;
      label.append(tick, " " + word);
      filters.append(label);
      return tick;
    });
    const search = make("label", "", "with the words ");
    const words = make("input");
    words.type = "search";
    search.append(words);
    const said = make("p", "quiet");
    said.setAttribute("aria-live", "polite");
    filters.append(search);
    const table = make("table", "findings");
    const head = table.createTHead().insertRow();
    for (const name of COLUMNS) {
      const cell = make("th", NUMERIC.has(name) ? "num" : "", name);
      cell.scope = "col";
      head.append(cell);
    }
    table.createTBody().append(...rows);
    const scroll = make("div", "scroll");
    scroll.tabIndex = 0;
    scroll.append(table);
    const show = () => {
      const ticked = new Set(boxes.filter((tick) => tick.checked).map((tick) => tick.value));
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !ticked.has(row.dataset.reading) || !wanted.every((word) => text.includes(word));
        shown += !row.hidden;
      }
      said.textContent = `${shown} of ${rows.length} findings`;
    };
    filters.addEventListener("input", show);
    show();
    box.append(summary, filters, said, scroll);
    return box;
  };

  const place = document.querySelector("#findings > .quiet");
  const rows = place ? collect() : [];
  if (rows.length > 1) place.after(overview(rows));
  document.querySelectorAll(".records, .numbers, .findings, .changes").forEach(sortable);
})();
