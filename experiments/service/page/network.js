"use strict";
// One network in a drawer: its drawing, costs, what is predicted and measured of it, and its files.
const NetworkDrawer = (() => {
  const { el } = Parts;

  async function open(study, key, label) {
    const dialog = document.getElementById("network");
    const close = el("button", { type: "button", className: "button icon", textContent: "✕", onclick: () => dialog.close() });
    close.setAttribute("aria-label", "Close");
    const body = el("div", { className: "drawer-body" }, Parts.waiting());
    dialog.replaceChildren(el("header", {}, el("h2", { id: "network-title", textContent: label || key }), el("code", { textContent: key }), close), body);
    if (!dialog.open) dialog.showModal();
    try {
      const [piece, detail] = await Promise.all([
        Api.html(`/view/studies/${study}/networks/${key}`),
        Api.json(`/api/studies/${study}/networks/${key}`),
      ]);
      const section = Parts.piece(piece).querySelector("section");
      section.querySelector("h2").remove();
      for (const found of section.querySelectorAll("[id]")) found.removeAttribute("id");
      section.removeAttribute("id");
      body.replaceChildren(files(study, detail), latencies(detail), ...section.children);
    } catch (problem) {
      body.replaceChildren(Parts.failure(problem, () => open(study, key, label)));
    }
  }

  // Predicted and measured latency of each target side by side, where both are known.
  function latencies(detail) {
    const by = new Map();
    for (const { name, target, quantity } of detail.network.quantities) {
      if (name !== "latency_ms") continue;
      const row = by.get(target) ?? {};
      row[quantity.obtained] ??= quantity;
      by.set(target, row);
    }
    if (!by.size) return "";
    const cell = (quantity) => (quantity ? el("td", { className: "number" }, ExplorerData.withUnit(quantity.value, quantity.unit), Explorer.badge(quantity.obtained), quantity.spread === null ? "" : el("small", { textContent: `±\u202f${ExplorerData.number(quantity.spread)}` })) : el("td", { className: "number", textContent: "–" }));
    const rows = [...by].map(([target, row]) => el("tr", {}, el("th", { scope: "row", textContent: target || "everywhere" }), cell(row.predicted ?? row.analytic ?? row.table), cell(row.measured)));
    const heading = ["Latency", "Model", "Measured"].map((textContent, place) => el("th", { scope: "col", textContent, className: place ? "number" : "" }));
    return el("div", { className: "card" }, el("table", {}, el("thead", {}, el("tr", {}, heading)), el("tbody", {}, rows)));
  }

  function files(study, detail) {
    if (!detail.artifacts.length) {
      return el("p", { className: "notice" }, "No files yet. To write its weights, ONNX and card: ", el("code", { textContent: `nas export STUDY ${detail.network.label}` }));
    }
    const status = el("span", { className: "waiting" });
    status.setAttribute("role", "status");
    const button = (file) => el("button", {
      type: "button", className: "button", onclick: async () => {
        status.textContent = "";
        try {
          await Api.download(`/api/studies/${study}/artifacts/${file.id}`, `${detail.network.label}-${file.name.split("/").at(-1)}`);
        } catch (problem) {
          status.textContent = problem.message;
        }
      },
    }, `↓ ${file.name.split("/").at(-1)} `, el("small", { textContent: ExplorerData.withUnit(file.num_bytes, "bytes") }));
    return el("div", { className: "downloads" }, detail.artifacts.map(button), status);
  }

  return { open };
})();
