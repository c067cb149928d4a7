"use strict";
// Two studies side by side: their networks in one plot, their hypervolume, and the settings in which they differ.
const CompareView = (() => {
  const { el, pill, count } = Parts;

  async function open(view, lines, first, second) {
    const all = [...lines.values()].sort((a, b) => a.name.localeCompare(b.name));
    const choice = (chosen, title) => {
      const select = el("select", {}, el("option", { value: "", textContent: "Choose a study" }), all.map((line) => el("option", { value: line.id, textContent: line.name, selected: line.id === chosen })));
      select.addEventListener("change", () => { location.hash = `#/compare/${picks[0].value || 0}/${picks[1].value || 0}`; });
      return [el("label", {}, `${title} `, select), select];
    };
    const [one, other] = [choice(first, "First"), choice(second, "Second")];
    const picks = [one[1], other[1]];
    const body = el("div", { className: "panels" });
    view.replaceChildren(el("header", { className: "title" }, el("h1", { textContent: "Compare two studies" })), el("div", { className: "tools" }, one[0], other[0]), body);
    if (!lines.has(first) || !lines.has(second)) {
      body.replaceChildren(Parts.empty(all.length < 2 ? "There are fewer than two studies." : "Choose two studies."));
    } else if (first === second) {
      body.replaceChildren(Parts.empty("Both are the same study: choose another for one of them."));
    } else {
      await show(body, first, second);
    }
    return { update() {} };
  }

  async function show(body, first, second) {
    body.replaceChildren(Parts.waiting());
    try {
      const paths = [first, second].flatMap((id) => [`/api/studies/${id}/table`, `/api/studies/${id}/search`]);
      const [difference, one, oneSearch, other, otherSearch] = await Promise.all([Api.json(`/api/compare?first=${first}&second=${second}`), ...paths.map((path) => Api.json(path))]);
      const pair = [{ line: difference.first, table: one, search: oneSearch.search }, { line: difference.second, table: other, search: otherSearch.search }];
      body.replaceChildren(summary(pair), ...fronts(pair), volume(pair), settings(difference, pair));
      await StudyView.plotly();
      Figures.mount(body);
    } catch (problem) {
      body.replaceChildren(Parts.failure(problem, () => show(body, first, second)));
    }
  }

  function best(table) {
    const column = table.columns[0];
    const known = column ? column.values.filter((value) => value !== null) : [];
    if (!known.length) return "–";
    return el("span", {}, ExplorerData.withUnit(Math[column.direction](...extremes(known)), column.unit), ...column.obtained.map(Explorer.badge));
  }

  // The spread operator takes no array of 10^5.
  const extremes = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);

  function summary(pair) {
    const rows = [
      ["State", ({ line }) => pill(line.state)],
      ["Space", ({ line }) => line.space],
      ["Networks evaluated", ({ line }) => count(line.num_evaluations)],
      ["Best validation accuracy", ({ table }) => best(table)],
      ["Hypervolume, each in its own box", ({ search }) => (search.runs[0] ? ExplorerData.number(search.runs[0].final) : "–")],
    ];
    return section("At a glance", "", el("div", { className: "card scroll" }, el("table", {}, el("thead", {}, el("tr", {}, el("td", {}), pair.map(({ line }) => el("th", { scope: "col" }, el("a", { href: `#/study/${line.id}`, textContent: line.name }))))), el("tbody", {}, rows.map(([title, value]) => el("tr", {}, el("th", { scope: "row", textContent: title }), pair.map((each) => el("td", {}, value(each)))))))));
  }

  const section = (title, lead, ...children) => el("section", {}, el("h2", { textContent: title }), lead ? el("p", { className: "lead", textContent: lead }) : null, children);

  const COLORS = ["var(--series-1)", "var(--series-2)"];

  // One plot for each quantity that both know beside the first, fronts as lines.
  function fronts(pair) {
    const [one, other] = pair.map(({ table }) => table.columns);
    if (!one.length || !other.length || one[0].name !== other[0].name) return [Parts.empty("The two have no quantity in common to plot.")];
    const shared = one.slice(1).filter((column) => other.some((each) => each.name === column.name)).slice(0, 4);
    if (!shared.length) return [Parts.empty("The two share no target and no cost to plot.")];
    const plots = shared.map((column) => figure(column.title, [one[0], column].flatMap((each) => each.obtained), pair.map((each, place) => trace(each, column.name, place)), axes(`${column.title} (${column.unit})`, `${one[0].title} (${one[0].unit})`, column.unit !== "%")));
    return [section("Fronts", "What neither better accuracy nor lower cost beats, in each study; both axes are shared.", el("div", { className: "grid" }, plots))];
  }

  function trace({ line, table }, name, place) {
    const model = ExplorerData.prepare(table);
    const x = model.quantities.find((quantity) => quantity.name === name);
    const y = model.quantities[0];
    const rows = ExplorerData.front(x, y);
    const color = COLORS[place];
    return { type: "scatter", mode: "lines+markers", name: escaped(line.name), x: rows.map((row) => x.values[row]), y: rows.map((row) => y.values[row]), line: { shape: "hv", color, width: 1.8, dash: place ? "dash" : "solid" }, marker: { color, size: 7, symbol: place ? "diamond" : "circle" }, hovertemplate: "%{x:.4~s}, %{y:.4~r}<extra>%{fullData.name}</extra>" };
  }

  // The library reads a few tags in every text that it draws.
  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

  function axes(x, y, logarithmic) {
    const axis = (text, extra) => ({ title: { text: escaped(text), standoff: 10 }, gridcolor: "var(--line)", linecolor: "var(--line)", zeroline: false, automargin: true, ...extra });
    return {
      xaxis: axis(x, logarithmic ? { type: "log", exponentformat: "SI", nticks: 6 } : {}), yaxis: axis(y, {}), paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: "var(--muted)", size: 12.5, family: "system-ui, sans-serif" }, margin: { l: 8, r: 16, t: 8, b: 8 }, hovermode: "closest",
      legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom" },
      hoverlabel: { bgcolor: "var(--surface)", bordercolor: "var(--line)", font: { color: "var(--ink)" }, align: "left" },
    };
  }

  function figure(title, obtained, data, layout) {
    const plot = el("div", { className: "plot tall-380" });
    plot.setAttribute("role", "img");
    plot.setAttribute("aria-label", title);
    const config = { responsive: true, displaylogo: false, displayModeBar: false };
    return el("figure", {}, el("figcaption", {}, el("strong", { textContent: title }), [...new Set(obtained)].map(Explorer.badge)), plot, el("script", { type: "application/json", textContent: JSON.stringify({ data, layout, config }) }));
  }

  function volume(pair) {
    const runs = pair.filter(({ search }) => search.runs[0]?.history.length);
    if (!runs.length) return "";
    const data = runs.map(({ line, search }, place) => ({ type: "scatter", mode: "lines", name: escaped(line.name), x: search.runs[0].history.map((point) => point.evaluations), y: search.runs[0].history.map((point) => point.hypervolume), line: { shape: "hv", color: COLORS[pair.findIndex((each) => each.line === line)], width: 2.2, dash: place ? "dash" : "solid" } }));
    const [a, b] = runs.map(({ search }) => JSON.stringify(search.reference_point));
    const lead = a === b ? "Both use the same reference point." : "Their reference points differ, so the heights can't be compared, only how soon each curve flattens.";
    return section("Hypervolume", lead, figure("Hypervolume against evaluated networks", runs[0].search.obtained, data, axes("networks evaluated", "hypervolume", false)));
  }

  function settings({ differences }, pair) {
    if (!differences.length) return section("Settings", "All settings are equal.");
    return section("Settings that differ", `${differences.length} of them.`, el("div", { className: "card scroll" }, el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col", textContent: "Setting" }), pair.map(({ line }) => el("th", { scope: "col", textContent: line.name })))), el("tbody", {}, differences.map(([path, one, other]) => el("tr", {}, el("th", { scope: "row", textContent: path }), [one, other].map((value) => el("td", { textContent: value ?? "not set" }))))))));
  }

  return { open, axes, figure, escaped };
})();
