"use strict";
// The explorer: points, parallel coordinates and a list, linked; its data is a table as JSON inside its element.
const Explorer = (() => {
  const { element } = ExplorerCanvas;
  const MAX_LISTED = 60;
  const LIST_MS = 120;
  const mounted = new Set();

  function mount(root) {
    const model = ExplorerData.prepare(JSON.parse(root.querySelector("script").textContent));
    if (model.size === 0 || model.quantities.length < 2) return;
    const state = { model, root, mask: null, all: false };
    const scatter = ExplorerScatter.make(model, { onBrush: () => select(state), onPick: (row) => pick(state, row) });
    const parallel = ExplorerParallel.make(model, { onFilter: () => select(state) });
    Object.assign(state, { scatter, parallel, y: model.quantities[0], x: model.quantities[1], list: element("ol", { className: "explorer-list" }) });
    state.status = element("p", { className: "explorer-status" });
    state.status.setAttribute("role", "status");
    state.caption = element("p", { className: "caption" });
    const side = element("div", { className: "explorer-side" }, state.status, state.list);
    root.append(bar(state), element("div", { className: "explorer-stage" }, scatter.box, side), parallel.box, state.caption);
    mounted.add(state);
    new ResizeObserver(() => resize(state)).observe(root);
    show(state);
    performance.mark("explorer-drawn");
  }

  function bar(state) {
    const choice = (title, chosen, change) => {
      const select = element("select", {}, ...state.model.quantities.map((q) => element("option", { value: q.name, textContent: `${q.title} (${q.unit})`, selected: q === chosen })));
      select.addEventListener("change", () => { change(state.model.quantities.find((q) => q.name === select.value)); show(state); });
      return element("label", {}, `${title} `, select);
    };
    const clear = element("button", { type: "button", textContent: "Clear filters" });
    clear.addEventListener("click", () => {
      state.scatter.clear();
      state.parallel.filters.clear();
      select(state);
    });
    const controls = [choice("Up", state.y, (q) => { state.y = q; }), choice("Across", state.x, (q) => { state.x = q; }), clear];
    if (state.model.knobs.length > ExplorerData.MAX_KNOBS) {
      const all = element("input", { type: "checkbox" });
      all.addEventListener("change", () => { state.all = all.checked; show(state); });
      controls.push(element("label", { className: "check" }, all, ` all ${state.model.knobs.length} knobs`));
    }
    return element("div", { className: "explorer-bar" }, ...controls);
  }

  // Axes, fronts and lines anew: after another choice of quantities.
  function show(state) {
    const { model, scatter, parallel, x, y } = state;
    scatter.axes(x, y);
    const axis = (q) => ({ ...q, short: q.title.replace(/^.* on /, "").replace(/,.*$/, "") });
    const knobs = ExplorerData.ranked(model, y, state.all).map((knob) => ({ ...knob, short: knob.title }));
    parallel.set([axis(y), axis(x), ...knobs], y);
    state.caption.textContent = `Lines run from poor to good by ${y.title.toLowerCase()}. The percentage above each knob is the share of its variance that lies between the knob's values, among these networks, which no one drew at random; the knobs stand in that order. A line at the foot: the knob is inactive.`;
    state.mask = null;
    resize(state);
    select(state);
  }

  function resize(state) {
    state.scatter.resize();
    state.parallel.resize();
  }

  function select(state) {
    const { model, scatter, parallel, x, y } = state;
    const ranges = scatter.ranges();
    let mask = parallel.passing();
    if (ranges) {
      mask ??= new Uint8Array(model.size).fill(1);
      for (let row = 0; row < model.size; row += 1) {
        const inside = x.values[row] >= ranges.x[0] && x.values[row] <= ranges.x[1] && y.values[row] >= ranges.y[0] && y.values[row] <= ranges.y[1];
        if (!inside) mask[row] = 0;
      }
    }
    state.mask = mask;
    scatter.show(mask, ranges !== null && !parallel.filters.size);
    parallel.show(mask);
    // The list is for the eyes after the hand has stopped; making it anew in every frame costs most of the frame.
    state.listing ??= setTimeout(() => { state.listing = null; list(state); }, LIST_MS);
  }

  function list(state) {
    const { model, mask, scatter, x, y } = state;
    const front = scatter.front.filter((row) => !mask || mask[row]);
    const count = mask ? mask.reduce((sum, value) => sum + value, 0) : model.size;
    const fronts = model.frontLeftOut ? `ends, knees and a sample of the fronts, ${model.frontLeftOut.toLocaleString("en")} of them left out;` : "all fronts and";
    const kept = model.size < model.total ? ` (${model.size.toLocaleString("en")} shown: ${fronts} an even sample; nas study frame gives all)` : "";
    const brushed = mask ? `${count.toLocaleString("en")} of ` : "";
    state.status.textContent = `${brushed}${model.total.toLocaleString("en")} networks${kept}, ${front.length} on this front`;
    const heading = element("li", { className: "explorer-head" }, element("span", { textContent: "Network" }), ...[y, x].map((q) => element("span", {}, q.unit === "count" ? q.title : `${q.title.split(",")[0].replace(/ on .*/, "")} (${q.unit})`, ...q.obtained.map(badge))));
    const sign = y.direction === "max" ? -1 : 1;
    const rows = front.sort((a, b) => sign * (y.values[a] - y.values[b])).slice(0, MAX_LISTED);
    state.list.replaceChildren(heading, ...rows.map((row) => entry(state, row)));
    if (!rows.length) state.list.append(element("li", { className: "empty", textContent: "No network of the front passes the filters." }));
  }

  function entry(state, row) {
    const { model, scatter, x, y } = state;
    const name = model.labels[row] || model.keys[row].slice(0, 8);
    const cells = [`${name}${model.chosen.has(row) ? " ★" : ""}`, ...[y, x].map((q) => ExplorerData.number(q.values[row], q.unit))];
    const button = element("button", { type: "button" }, ...cells.map((text) => element("span", { textContent: text })));
    button.addEventListener("click", () => { scatter.mark(row); pick(state, row); });
    button.addEventListener("pointerenter", () => scatter.hover(row));
    button.addEventListener("focus", () => scatter.hover(row));
    return element("li", {}, button);
  }

  function badge(source) {
    const made = element("abbr", { className: `badge ${source}`, title: source });
    made.append(element("span", { textContent: source[0].toUpperCase() }));
    return made;
  }

  // Whoever shows the explorer decides what a picked network opens.
  function pick(state, row) {
    state.root.dispatchEvent(new CustomEvent("network", { bubbles: true, detail: { key: state.model.keys[row], label: state.model.labels[row] } }));
  }

  function mountAll(root) {
    for (const found of root.querySelectorAll("[data-explorer]")) mount(found);
  }

  function redraw() {
    for (const state of mounted) {
      if (!state.root.isConnected) mounted.delete(state);
      else { state.scatter.draw(); state.parallel.draw(); }
    }
  }

  return { mountAll, redraw, badge };
})();
