// Zooming and reading off a chart of followers. Everything it shows is in the page: without it there are links for the
// span, the whole drawing, and the tables.
(function () {
  "use strict";

  const UNIT = 1000;
  const CLOSEST = 12; // the narrowest view, of 1000

  function start(figure) {
    const plot = figure.querySelector(".history-plot");
    const svg = figure.querySelector(".history-drawing");
    const tools = figure.querySelector(".history-tools");
    const range = figure.querySelector(".history-range");
    const read = figure.querySelector(".history-read");
    const cursor = figure.querySelector(".history-cursor");
    const brush = figure.querySelector(".history-brush");
    const since = Date.parse(figure.dataset.since + "T00:00:00Z");
    const days = Number(figure.dataset.days);
    const points = [...figure.querySelectorAll(".history-figures tr[data-x]")].map((row) => ({
      x: Number(row.dataset.x),
      y: Number(row.dataset.y),
      value: row.cells[1].textContent,
      words: [...row.cells].map((cell) => cell.textContent.trim()).filter(Boolean).join(" · "),
    }));
    const placed = [...figure.querySelectorAll("[data-x]:not(tr)")];
    const heights = [...figure.querySelectorAll("[data-y]:not(tr)")];
    let view = { left: 0, width: UNIT, top: 0, height: UNIT };
    let at = points.length - 1;
    let from = null;

    const day = (x) => new Date(since + Math.round((x / UNIT) * days) * 86400000).toISOString().slice(0, 10);
    const across = (x) => ((x - view.left) / view.width) * 100;
    const down = (y) => ((y - view.top) / view.height) * 100;
    const under = (event) => {
      const box = plot.getBoundingClientRect();
      const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      return view.left + share * view.width;
    };

    function draw() {
      svg.setAttribute("viewBox", `${view.left} ${view.top} ${view.width} ${view.height}`);
      for (const mark of placed) {
        const left = across(Number(mark.dataset.x));
        const width = (Number(mark.dataset.width || 0) / view.width) * 100;
        mark.style.left = `${left}%`;
        if (mark.dataset.width) mark.style.width = `${width}%`;
        mark.hidden = left + width < 0 || left > 100;
      }
      for (const word of heights) word.style.top = `${down(Number(word.dataset.y))}%`;
      const isWhole = view.width >= UNIT;
      const seen = points.filter((p) => p.x >= view.left && p.x <= view.left + view.width);
      const lowest = seen.reduce((best, p) => (p.y > best.y ? p : best), seen[0]);
      const highest = seen.reduce((best, p) => (p.y < best.y ? p : best), seen[0]);
      const numbers = seen.length ? ` · ${lowest.value} – ${highest.value}` : "";
      range.textContent = `${day(view.left)} – ${day(view.left + view.width)}${numbers}`;
      tools.querySelector("[data-zoom=out]").disabled = isWhole;
      tools.querySelector("[data-zoom=all]").disabled = isWhole;
      tools.querySelector("[data-zoom=in]").disabled = view.width <= CLOSEST;
      if (!cursor.hidden) cursor.style.left = `${across(points[at].x)}%`;
    }

    // The part from left to left + width, as high as the readings in it.
    function look(left, width) {
      width = Math.min(UNIT, Math.max(CLOSEST, width));
      left = Math.min(UNIT - width, Math.max(0, left));
      const seen = points.filter((p) => p.x >= left && p.x <= left + width).map((p) => p.y);
      view = { left, width, top: 0, height: UNIT };
      if (width < UNIT && seen.length) {
        const highest = Math.min(...seen);
        const room = Math.max(20, (Math.max(...seen) - highest) * 0.15);
        view.top = Math.max(0, highest - room);
        view.height = Math.min(UNIT, Math.max(...seen) + room) - view.top;
      }
      draw();
    }

    function zoom(times) {
      const middle = cursor.hidden ? view.left + view.width / 2 : points[at].x;
      look(middle - (middle - view.left) * times, view.width * times);
    }

    function show(index) {
      at = Math.min(points.length - 1, Math.max(0, index));
      cursor.hidden = false;
      read.textContent = points[at].words;
      const { x } = points[at];
      if (x < view.left || x > view.left + view.width) look(x - view.width / 2, view.width);
      else draw();
    }

    function nearest(x) {
      let best = 0;
      points.forEach((p, index) => {
        if (Math.abs(p.x - x) < Math.abs(points[best].x - x)) best = index;
      });
      return best;
    }

    const keys = {
      "+": () => zoom(0.5),
      "=": () => zoom(0.5),
      "-": () => zoom(2),
      Escape: () => look(0, UNIT),
      ArrowLeft: () => show(cursor.hidden ? at : at - 1),
      ArrowRight: () => show(cursor.hidden ? at : at + 1),
      Home: () => show(0),
      End: () => show(points.length - 1),
    };

    plot.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });
    plot.addEventListener("pointerdown", (event) => {
      if (event.button === 0) from = under(event);
    });
    plot.addEventListener("pointermove", (event) => {
      const x = under(event);
      show(nearest(x));
      if (from === null) return;
      brush.hidden = false;
      brush.style.left = `${across(Math.min(from, x))}%`;
      brush.style.width = `${(Math.abs(x - from) / view.width) * 100}%`;
    });
    window.addEventListener("pointerup", (event) => {
      if (from === null) return;
      const x = under(event);
      if (!brush.hidden && Math.abs(x - from) > view.width / 50) look(Math.min(from, x), Math.abs(x - from));
      from = null;
      brush.hidden = true;
    });
    window.addEventListener("pointercancel", () => {
      from = null;
      brush.hidden = true;
    });
    plot.addEventListener("dblclick", () => look(0, UNIT));
    tools.addEventListener("click", (event) => {
      const pressed = event.target.closest("[data-zoom]");
      if (pressed) ({ in: () => zoom(0.5), out: () => zoom(2), all: () => look(0, UNIT) })[pressed.dataset.zoom]();
    });

    tools.hidden = false;
    read.hidden = false;
    read.textContent = figure.dataset.help;
    plot.tabIndex = 0;
    plot.setAttribute("role", "application");
    plot.setAttribute("aria-label", `${svg.getAttribute("aria-label")}. ${figure.dataset.help}`);
    draw();
  }

  document.querySelectorAll("[data-history]").forEach(start);
})();
