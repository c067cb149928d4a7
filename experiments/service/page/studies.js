"use strict";
// The list of studies: live, searchable, sortable.
const StudiesView = (() => {
  const { el, pill, progress, ago, count } = Parts;
  const SORTS = { updated_at: "last change", created_at: "newest", name: "name", num_evaluations: "evaluations", state: "state" };

  function open(view, lines) {
    const state = { search: "", sort: "updated_at" };
    const search = el("input", { type: "search", placeholder: "Find a study", oninput: () => { state.search = search.value.toLowerCase(); show(); } });
    search.setAttribute("aria-label", "Find a study by its name");
    const sort = el("select", { onchange: () => { state.sort = sort.value; show(); } }, Object.entries(SORTS).map(([value, textContent]) => el("option", { value, textContent })));
    const list = el("ul", { className: "studies" });
    const summary = el("p", { className: "lead" });
    view.replaceChildren(el("header", { className: "title" }, el("h1", { textContent: "Studies" }), summary), el("div", { className: "tools" }, search, el("label", {}, "Sort by ", sort)), list);

    function show() {
      const all = [...lines.values()];
      const running = all.filter((line) => line.state === "running").length;
      summary.textContent = all.length ? `${count(all.length)} ${all.length === 1 ? "study" : "studies"}${running ? `, ${running} running now` : ""}.` : "";
      const found = all.filter((line) => line.name.toLowerCase().includes(state.search)).sort(order(state.sort));
      if (!all.length) list.replaceChildren(el("li", {}, none()));
      else if (!found.length) list.replaceChildren(el("li", {}, Parts.empty(`No study is called “${search.value}”.`)));
      else list.replaceChildren(...found.map(card));
    }

    show();
    return { update: show };
  }

  function order(key) {
    if (key === "name" || key === "state") return (a, b) => a[key].localeCompare(b[key]);
    if (key === "num_evaluations") return (a, b) => b[key] - a[key];
    return (a, b) => new Date(b[key]) - new Date(a[key]);
  }

  function card(line) {
    const done = line.asked_evaluations ? `${count(line.num_evaluations)} of ${count(line.asked_evaluations)} evaluations` : `${count(line.num_evaluations)} evaluations`;
    return el("li", {}, el("a", { className: "study", href: `#/study/${line.id}` },
      el("span", { className: "study-name" }, el("strong", { textContent: line.name }), pill(line.state)),
      el("span", { className: "study-facts" }, [line.space, line.targets.length ? `${line.targets.length} target${line.targets.length > 1 ? "s" : ""}` : "", `seed ${line.seed}`].filter(Boolean).join(" · ")),
      el("span", { className: "study-progress" }, progress(line.num_evaluations, line.asked_evaluations, done), el("span", { textContent: done })),
      el("span", { className: "study-when" }, ago(line.updated_at))));
  }

  const none = () => Parts.empty("No studies yet.", el("p", { textContent: "A study that begins in this folder appears here by itself. A first one, in a minute:" }), Parts.command("nas init\nnas run nas.toml"));

  return { open };
})();
