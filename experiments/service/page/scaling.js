"use strict";
// A published network scaled by several rules: what each makes of it, in logarithms.
const ScalingView = (() => {
  const { el } = Parts;
  const CHOSEN = ["fast", "efficientnet", "d", "w", "r"];
  const FACTORS = [2, 4, 8, 16];
  const COLORS = [1, 2, 3, 4, 5].map((number) => `var(--series-${number})`);
  const DASHES = ["solid", "dash", "dot", "dashdot"];
  const SYMBOLS = ["circle", "diamond", "square", "cross", "triangle-up"];

  async function open(view) {
    view.replaceChildren(Parts.waiting());
    try {
      const [networks, rules] = await Promise.all([Api.json("/api/networks"), Api.json("/api/rules")]);
      build(view, networks, rules);
    } catch (problem) {
      view.replaceChildren(Parts.failure(problem, () => open(view)));
    }
    return { update() {} };
  }

  function build(view, networks, rules) {
    const names = el("datalist", { id: "networks" }, networks.map(({ name, family }) => el("option", { value: name, textContent: family })));
    const network = el("input", { type: "text", value: "efficientnet_b0", className: "wide" });
    network.setAttribute("list", "networks");
    const boxes = rules.map((rule) => el("label", { className: "check" }, el("input", { type: "checkbox", value: rule, checked: CHOSEN.includes(rule) }), ` ${rule}`));
    const body = el("div", { className: "panels" });
    const run = () => show(body, network.value.trim(), boxes.map((box) => box.firstChild).filter((box) => box.checked).map((box) => box.value));
    const form = el("form", { className: "tools", onsubmit: (event) => { event.preventDefault(); run(); } }, el("label", {}, "Published network ", network), names, el("button", { className: "button primary", textContent: "Compare" }), el("fieldset", {}, el("legend", { textContent: "Rules" }), boxes));
    form.addEventListener("change", run);
    view.replaceChildren(el("header", { className: "title" }, el("h1", { textContent: "Scaling rules" }), el("p", { className: "lead", textContent: "A rule makes a network two to sixteen times as costly in MACs. On these axes a power law is a straight line: the flatter it is, the less a rule spends of what stands on the upright axis." })), form, body);
    run();
  }

  async function show(body, network, rules) {
    if (!rules.length) {
      body.replaceChildren(Parts.empty("Choose at least one rule."));
      return;
    }
    body.replaceChildren(Parts.waiting("Counting"));
    try {
      const query = new URLSearchParams([["network", network], ...rules.slice(0, 12).map((rule) => ["rule", rule]), ...FACTORS.map((factor) => ["factor", factor])]);
      const found = await Api.json(`/api/scaling?${query}`);
      const figures = [["params", "Parameters"], ["activations", "Activations"]].map(([key, title]) => CompareView.figure(`${title} against MACs`, ["analytic"], traces(found.rows, rules, key), axes(title)));
      const side = CompareView.figure("Image side against MACs", ["analytic"], traces(found.rows, rules, "side"), axes("Image side (pixels)"));
      const achieved = CompareView.figure("Growth achieved / asked", ["analytic"], traces(found.rows, rules, "ratio"), ratioAxes());
      body.replaceChildren(el("section", {}, el("div", { className: "grid" }, figures, side, achieved)), refused(found.refused), table(found.rows));
      await StudyView.plotly();
      Figures.mount(body);
    } catch (problem) {
      body.replaceChildren(Parts.failure(problem));
    }
  }

  function traces(rows, rules, key) {
    const value = (row) => ({ side: Math.max(...row.resolution), ratio: row.factor_achieved / row.factor_asked })[key] ?? row[key];
    return rules.map((rule, place) => {
      const own = rows.filter((row) => row.rule === rule);
      const color = COLORS[place % COLORS.length];
      return { type: "scatter", mode: "lines+markers", name: CompareView.escaped(rule), x: own.map((row) => (key === "ratio" ? row.factor_asked : row.macs)), y: own.map(value), text: own.map((row) => `×${row.factor_asked} asked, ×${row.factor_achieved.toPrecision(3)} achieved`), line: { color, width: 1.8, dash: DASHES[place % DASHES.length] }, marker: { color, size: 8, symbol: SYMBOLS[place % SYMBOLS.length] }, hovertemplate: "%{text}<br>%{y:.4~s}<extra>%{fullData.name}</extra>" };
    }).filter((trace) => trace.x.length);
  }

  function axes(title) {
    const layout = CompareView.axes("MACs (logarithmic)", `${title} (logarithmic)`, true);
    layout.yaxis = { ...layout.yaxis, type: "log", exponentformat: "SI", nticks: 6 };
    return layout;
  }

  function ratioAxes() {
    const layout = CompareView.axes("growth of MACs asked", "achieved / asked", false);
    layout.xaxis = { ...layout.xaxis, type: "log", tickvals: FACTORS, ticktext: FACTORS.map((factor) => `×${factor}`) };
    return layout;
  }

  function refused(reasons) {
    const entries = Object.entries(reasons);
    return entries.length ? el("ul", { className: "notice points" }, entries.map(([rule, reason]) => el("li", {}, el("strong", { textContent: `${rule}: ` }), reason))) : "";
  }

  function table(rows) {
    const heading = ["Rule", "Asked", "Achieved", "Side", "Depths", "Widths", "MACs", "Parameters", "Activations"];
    const cells = (row) => [`×${row.factor_asked}`, `×${row.factor_achieved.toPrecision(3)}`, row.resolution.join("×"), row.depths.join(" "), row.widths.join(" "), ExplorerData.number(row.macs, "count"), ExplorerData.number(row.params, "count"), ExplorerData.number(row.activations, "count")];
    return el("details", { className: "card" }, el("summary", { textContent: `All ${rows.length} networks as a table` }), el("div", { className: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, heading.map((textContent) => el("th", { scope: "col", textContent })))), el("tbody", {}, rows.map((row) => el("tr", {}, el("th", { scope: "row", textContent: row.rule }), cells(row).map((textContent) => el("td", { textContent }))))))));
  }

  return { open };
})();
