"use strict";
/* Draws figures when they come into view: a template, made by upswing.charts, plus their data. */
const Figures = (() => {
  const AHEAD = "400px";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const state = { x: "log", y: "score" };
  const drawn = new Map();
  const waiting = new Set();
  let report, observer, epoch = 0, busy = false, printing = false;

  const mode = () => (dark.matches && !printing ? "dark" : "light");

  function rows(packed) {
    const names = Object.keys(packed.columns);
    return Array.from({ length: packed.rows }, (_, i) => Object.fromEntries(names.map((name) => {
      const column = packed.columns[name];
      return [name, Array.isArray(column) ? column[i] : column];
    })));
  }

  function figureOf(element) {
    return report.figures[element.dataset.figure || element.id];
  }

  /* The template that suits a figure and the switches; figures without an error rate keep scores. */
  function templateOf(figure) {
    const y = figure.error ? state.y : "score";
    return [`${figure.kind}/${state.x}/${y}`, `${figure.kind}/${state.x}`, `${figure.kind}/${mode()}`]
      .find((name) => name in report.templates);
  }

  const options = {
    actions: false, renderer: "svg", defaultStyle: false, mode: "vega-lite", logLevel: 1,
    tooltip: (_handler, event, _item, value) => tip(event, value),
  };

  /* A template with the data, title, families, onsets and curves of one figure. */
  function fill(name, figure, width) {
    const spec = structuredClone(report.templates[name]);
    const packed = figure.same ? report.figures[figure.same].data : figure.data;
    spec.datasets = Object.fromEntries(Object.entries(packed).map(([key, value]) => [key, rows(value)]));
    for (const param of spec.params || []) {
      if (param.name === "present") {
        const found = new Set(spec.datasets.points.map((row) => row.series));
        param.value = param.value.filter((label) => found.has(label));
      }
      if (param.name === "per_row") param.value = Math.max(1, Math.floor((width - 70) / 135));
      if (param.name === "lanes") param.value = spec.datasets.onsets.length;
      if (param.name === "curves") param.value = figure.curves;
    }
    if (figure.title && spec.title) [spec.title.text, spec.title.subtitle] = figure.title;
    return spec;
  }

  async function draw(element) {
    if (drawn.has(element)) return;
    const round = epoch, figure = figureOf(element), name = templateOf(figure);
    const plot = plotOf(element);
    const config = { ...report.config[mode()], background: "transparent" };
    const result = await vegaEmbed(plot, fill(name, figure, plot.clientWidth), { ...options, config });
    if (round !== epoch || drawn.has(element)) { result.finalize(); return; }
    drawn.set(element, result);
    element.dataset.drawn = name;
    plot.style.minHeight = "";
    if (plot !== element && !element.querySelector(".tools")) tools(element, figure);
  }

  function plotOf(element) {
    return element.classList.contains("plot") ? element : element.querySelector(".plot");
  }

  /* Keeps the room that the figure takes, so that the page does not jump while it is redrawn. */
  function clear(element) {
    const plot = plotOf(element);
    plot.style.minHeight = `${plot.offsetHeight}px`;
    drawn.get(element)?.finalize();
    drawn.delete(element);
    delete element.dataset.drawn;
  }

  /* One figure per turn, so that the page stays responsive while many come into view. */
  async function work() {
    const [element] = waiting;
    if (!element) { busy = false; return; }
    waiting.delete(element);
    await draw(element);
    setTimeout(work, 0);
  }

  function seen(entries) {
    for (const entry of entries) {
      if (entry.isIntersecting) waiting.add(entry.target); else waiting.delete(entry.target);
    }
    if (waiting.size && !busy) { busy = true; setTimeout(work, 0); }
  }

  function redraw() {
    epoch += 1;
    for (const element of [...drawn.keys()]) clear(element);
    for (const element of all()) { observer.unobserve(element); observer.observe(element); }
  }

  function all() {
    return [...document.querySelectorAll("figure.chart, .mini .plot")].filter(figureOf);
  }

  function tip(event, value) {
    const box = document.getElementById("tip");
    box.hidden = value == null || typeof value !== "object";
    if (box.hidden) return;
    box.replaceChildren(...Object.entries(value).map(([name, text]) => {
      const line = document.createElement("div");
      const label = line.appendChild(document.createElement("span"));
      label.textContent = name;
      line.appendChild(document.createElement("bdi")).textContent = text;
      return line;
    }));
    const { width, height } = box.getBoundingClientRect();
    const left = event.clientX + 14 + width > innerWidth ? event.clientX - width - 10 : event.clientX + 14;
    box.style.left = `${Math.max(4, left)}px`;
    box.style.top = `${Math.max(4, Math.min(event.clientY + 14, innerHeight - height - 4))}px`;
  }

  function tools(element, figure) {
    const bar = document.createElement("div");
    bar.className = "tools";
    const button = (label, title, act) => {
      const made = bar.appendChild(document.createElement("button"));
      made.type = "button";
      made.textContent = label;
      made.title = title;
      made.setAttribute("aria-label", title);
      made.addEventListener("click", act);
    };
    const stem = `upswing-${element.id}`;
    const main = Object.keys(figure.data)[0];
    button("CSV", "Download the data of this chart", () =>
      Downloads.save(`${stem}.csv`, "text/csv", Downloads.csv(rows(figure.data[main]))));
    button("SVG", "Download this chart as SVG", async () =>
      Downloads.save(`${stem}.svg`, "image/svg+xml", await drawn.get(element).view.toSVG()));
    button("PNG", "Download this chart as PNG", async () =>
      Downloads.link(`${stem}.png`, await drawn.get(element).view.toImageURL("png", 2)));
    element.append(bar);
  }

  function set(name, value) {
    state[name] = value;
    redraw();
  }

  function start(data) {
    report = data;
    state.x = data.x;
    observer = new IntersectionObserver(seen, { rootMargin: AHEAD });
    for (const element of all()) observer.observe(element);
    dark.addEventListener("change", () => { redraw(); legend(); });
    window.addEventListener("beforeprint", () => {
      printing = true;
      redraw();
      for (const element of all()) if (element.checkVisibility()) draw(element);
    });
    window.addEventListener("afterprint", () => { printing = false; redraw(); });
    legend();
  }

  const SHAPES = {
    circle: "M6 1a5 5 0 1 0 .01 0Z", square: "M1.5 1.5h9v9h-9Z", "triangle-up": "M6 1l5.5 10H.5Z",
    diamond: "M6 0l4.5 6L6 12 1.5 6Z", cross: "M4 1h4v3h3v4H8v3H4V8H1V4h3Z",
    "triangle-down": "M6 11L.5 1h11Z", "triangle-right": "M11 6L1 11.5V.5Z",
  };

  /* The families' colours and shapes, once for all small panels. */
  function legend() {
    const list = document.getElementById("series-legend");
    const labels = report.series;
    if (!list || labels.length < 2) return;
    const { category, symbol } = report.config[mode()].range;
    list.replaceChildren(...labels.map((label, i) => {
      const item = document.createElement("li");
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      svg.setAttribute("viewBox", "0 0 12 12");
      svg.setAttribute("aria-hidden", "true");
      const path = svg.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"));
      path.setAttribute("d", SHAPES[symbol[i % symbol.length]] || SHAPES.circle);
      path.setAttribute("fill", category[i % category.length]);
      const name = document.createElement("bdi");
      name.textContent = label;
      item.append(svg, name);
      return item;
    }));
  }

  return { start, set, rows, redraw, state };
})();
