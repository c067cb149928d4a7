"use strict";
// The frame: which view an address means, live events, theme, keyboard.
(() => {
  const view = document.getElementById("view");
  const live = document.getElementById("live");
  const lines = new Map();
  let current = null;
  let study = null;

  async function route() {
    const [, name = "", ...ids] = location.hash.split("/");
    const [first, second] = ids.map(Number);
    current?.close?.();
    current = null;
    study = null;
    document.getElementById("network").close();
    document.title = "nas: studies";
    for (const link of document.querySelectorAll(".masthead nav a")) link.toggleAttribute("aria-current", link.hash.split("/")[1] === (name === "study" ? "" : name));
    if (name === "study") {
      study = first;
      view.replaceChildren(Parts.waiting());
      current = await StudyView.open(view, first);
    } else if (name === "compare") current = await CompareView.open(view, lines, first, second);
    else if (name === "scaling") current = await ScalingView.open(view);
    else current = StudiesView.open(view, lines);
    scrollTo(0, 0);
  }

  let changed = false;

  // Many studies change at once when the page opens: the list is drawn once for all of them.
  function soon() {
    if (changed || study) return;
    changed = true;
    requestAnimationFrame(() => {
      changed = false;
      if (!study) current?.update();
    });
  }

  const handlers = {
    study(line) {
      const known = lines.get(line.id);
      lines.set(line.id, line);
      // A new connection tells of every study again, changed or not.
      if (JSON.stringify(known) === JSON.stringify(line)) return;
      if (study === line.id && known) current?.update(line);
      else soon();
    },
    deleted({ id }) {
      lines.delete(id);
      soon();
    },
    // What was deleted while this page was not connected.
    all({ ids }) {
      for (const id of [...lines.keys()].filter((each) => !ids.includes(each))) lines.delete(id);
      soon();
    },
    problem({ message }) { say(message, "problem"); },
  };

  function say(text, state) {
    live.textContent = text;
    live.dataset.state = state;
  }

  // The style sheet's rules for dark screens, switched on and off by hand: its colours stand in one place.
  function theme() {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const sheets = [...document.styleSheets].filter((sheet) => sheet.href?.endsWith("page.css") || sheet.href?.endsWith("app.css"));
    const rules = sheets.flatMap((sheet) => [...sheet.cssRules]).filter((rule) => rule.media?.mediaText.includes("prefers-color-scheme"));
    const own = rules.map((rule) => rule.media.mediaText);
    const apply = (chosen) => {
      rules.forEach((rule, place) => { rule.media.mediaText = { dark: "all", light: "not all" }[chosen] ?? own[place]; });
      document.documentElement.style.colorScheme = chosen ?? "";
      Figures.redraw();
      Explorer.redraw();
    };
    const stored = () => localStorage.getItem("nas-theme");
    apply(stored());
    document.getElementById("theme").addEventListener("click", () => {
      const next = (stored() ?? (dark.matches ? "dark" : "light")) === "dark" ? "light" : "dark";
      localStorage.setItem("nas-theme", next);
      apply(next);
    });
    dark.addEventListener("change", () => apply(stored()));
  }

  document.addEventListener("network", ({ detail }) => {
    if (study) NetworkDrawer.open(study, detail.key, detail.label);
  });
  // A click beside the drawer closes it, as Escape does.
  document.getElementById("network").addEventListener("click", (event) => { if (event.target === event.currentTarget) event.currentTarget.close(); });
  addEventListener("hashchange", route);
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.closest("input, select, textarea, dialog")) {
      const search = view.querySelector("input[type=search]");
      if (search) { search.focus(); event.preventDefault(); }
    }
  });

  async function start() {
    theme();
    const list = Api.json("/api/studies?limit=500");
    // A study's own page waits for nothing but the study.
    const opened = location.hash.startsWith("#/study/") ? route() : null;
    try {
      for (const line of (await list).studies) lines.set(line.id, line);
      await (opened ?? route());
    } catch (problem) {
      if (!opened) view.replaceChildren(Parts.failure(problem, () => location.reload()));
    }
    Api.listen(handlers, (up) => say(up ? "live" : "not connected, trying again", up ? "up" : "down"));
  }

  start();
})();
