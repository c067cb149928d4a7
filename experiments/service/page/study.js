"use strict";
// One study: how far it is, then the panels of its report, each fetched when it comes near the screen.
const StudyView = (() => {
  const { el, pill, progress, ago, count } = Parts;
  const RELOAD_MS = 4000;

  async function open(view, id) {
    const state = { id, view, detail: null, loaded: new Set(), timer: null };
    try {
      state.detail = await Api.json(`/api/studies/${id}`);
    } catch (problem) {
      view.replaceChildren(Parts.failure(problem, () => open(view, id)));
      return { update() {} };
    }
    document.title = `${state.detail.name}: nas`;
    build(state);
    return { update: (line) => update(state, line), close: () => clearTimeout(state.timer) };
  }

  function build(state) {
    const { detail } = state;
    state.head = el("div", { className: "study-head" });
    state.sections = el("div", { className: "panels" });
    const links = el("nav", { className: "sections" }, el("ul", {}, detail.panels.map((panel) => el("li", {}, el("a", { href: `#${panel.name}`, textContent: panel.short, onclick: (event) => { event.preventDefault(); jump(state, panel.name); } })))));
    links.setAttribute("aria-label", "sections");
    state.view.replaceChildren(state.head, links, state.sections);
    head(state, detail);
    state.sections.replaceChildren(...detail.panels.map((panel) => placeholder(state, panel)));
    follow(state, links);
  }

  function head(state, line) {
    const { detail } = state;
    const facts = [detail.space, `seed ${detail.seed}`, ...detail.targets, ...line.tags.map((tag) => `#${tag}`)].filter(Boolean);
    const done = line.asked_evaluations ? `${count(line.num_evaluations)} of ${count(line.asked_evaluations)} networks evaluated` : `${count(line.num_evaluations)} networks evaluated`;
    state.head.replaceChildren(
      el("p", { className: "crumb" }, el("a", { href: "#/", textContent: "Studies" })),
      el("header", { className: "title" },
        el("h1", {}, el("span", { textContent: detail.name }), pill(line.state)),
        el("p", { className: "meta" }, facts.map((fact) => el("span", { textContent: fact })), el("span", {}, "changed ", ago(line.updated_at)))),
      el("div", { className: "progress-line" }, progress(line.num_evaluations, line.asked_evaluations, done), el("span", { textContent: done })),
      stages(detail, line),
      el("p", { className: "actions" }, verbs(state, line), el("a", { className: "button", href: `#/compare/${detail.id}`, textContent: "Compare with another" }), el("button", { type: "button", className: "button", textContent: "Download the report's data", onclick: () => Api.download(`/api/studies/${detail.id}/report`, `${detail.name}.json`).catch((problem) => state.head.append(Parts.failure(problem))) })),
      line.reason ? el("p", { className: "notice problem", textContent: `${line.name} is ${line.state}: ${line.reason}` }) : "",
      line.note ? el("p", { className: "notice", textContent: line.note }) : "",
      detail.notes.length && line.state !== "done" ? el("p", { className: "notice", textContent: detail.notes[0] }) : "");
  }

  const VERBS = {
    pause: [["queued", "running"], "Pause", "Begin no more work until it is resumed."],
    resume: [["paused", "pausing", "interrupted", "failed"], "Resume", "Put it back into the queue."],
    stop: [["queued", "running", "pausing", "paused", "interrupted"], "Stop", "End it for good once the work that runs is finished."],
    cancel: [["queued", "running", "pausing", "stopping", "paused", "interrupted"], "Cancel", "End it now and for good; the work that runs is thrown away."],
  };
  const FINAL = ["stop", "cancel"];

  // The verbs that the state allows; each needs the token, which the page asks for.
  function verbs(state, line) {
    return Object.entries(VERBS).filter(([, [states]]) => states.includes(line.state)).map(([verb, [, textContent, title]]) => el("button", {
      type: "button", className: "button", textContent, title, onclick: async () => {
        if (FINAL.includes(verb) && !confirm(`${textContent} the study ${line.name}? ${title}`)) return;
        try {
          await Api.send("POST", `/api/studies/${state.id}/${verb}`);
        } catch (problem) {
          state.head.append(Parts.failure(problem));
        }
      },
    }));
  }

  function stages(detail, line) {
    const first = detail.stages.find((stage) => !stage.done);
    return el("ol", { className: "stages" }, detail.stages.map((stage) => {
      const state = stage.done ? "done" : stage === first && line.state === "running" ? "now" : "open";
      const seconds = stage.seconds === null ? "" : duration(stage.seconds);
      const made = el("li", { dataset: { state } }, el("span", { textContent: stage.name }), el("small", { textContent: state === "now" ? "now" : seconds }));
      made.title = state === "done" ? `${stage.name}: ${seconds} (measured, wall clock)` : `${stage.name}: ${state === "now" ? "running" : "not done yet"}`;
      return made;
    }));
  }

  function duration(seconds) {
    if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)}\u202fs`;
    const minutes = Math.round(seconds / 60);
    return minutes < 60 ? `${minutes}\u202fmin` : `${Math.floor(minutes / 60)}\u202fh ${minutes % 60}\u202fmin`;
  }

  // A section keeps its place until its content is there: what lies below must not jump.
  function placeholder(state, panel) {
    const section = el("section", { id: panel.name, className: "pending" }, el("h2", { textContent: panel.title }), Parts.waiting());
    state.near ??= new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        state.near.unobserve(target);
        load(state, target.id);
      }
    }, { rootMargin: "500px" });
    state.near.observe(section);
    return section;
  }

  async function load(state, name) {
    const old = state.sections.querySelector(`#${CSS.escape(name)}`);
    try {
      const piece = Parts.piece(await Api.html(`/view/studies/${state.id}/panels/${encodeURIComponent(name)}`));
      const section = piece.querySelector("section");
      if (!old.isConnected) return;
      old.replaceWith(section);
      state.loaded.add(name);
      Explorer.mountAll(section);
      if (section.querySelector(".plot")) {
        await plotly();
        Figures.mount(section);
      }
    } catch (problem) {
      if (old.isConnected) old.replaceChildren(el("h2", { textContent: name }), Parts.failure(problem, () => load(state, name)));
    }
  }

  let library = null;

  // The plotting library is large: it comes after what a person sees first.
  function plotly() {
    library ??= new Promise((resolve, reject) => {
      const script = el("script", { src: "/static/plotly.js", onload: resolve, onerror: () => { library = null; reject(new Api.Problem(0, "The figures' library did not load.")); } });
      document.head.append(script);
    });
    return library;
  }

  async function jump(state, name) {
    if (!state.loaded.has(name)) await load(state, name);
    const section = document.getElementById(name);
    section?.scrollIntoView();
    section?.querySelector("h2")?.setAttribute("tabindex", "-1");
    section?.querySelector("h2")?.focus({ preventScroll: true });
  }

  function follow(state, links) {
    const seen = new Set();
    const mark = () => {
      const current = state.detail.panels.find((panel) => seen.has(panel.name))?.name;
      for (const link of links.querySelectorAll("a")) link.toggleAttribute("aria-current", link.hash === `#${current}`);
    };
    const observer = new IntersectionObserver((entries) => {
      for (const entry of entries) entry.isIntersecting ? seen.add(entry.target.id) : seen.delete(entry.target.id);
      mark();
    }, { rootMargin: "-135px 0px -55% 0px" });
    const watch = () => { for (const section of state.sections.children) observer.observe(section); };
    new MutationObserver(watch).observe(state.sections, { childList: true });
    watch();
  }

  // News of a running study: the head at once; panels that are open every few seconds, unless one is being brushed.
  function update(state, line) {
    head(state, line);
    state.timer ??= setTimeout(async () => {
      state.timer = null;
      try {
        state.detail = await Api.json(`/api/studies/${state.id}`);
      } catch {
        return;
      }
      head(state, line);
      const names = state.detail.panels.map((panel) => panel.name);
      if (names.join() !== [...state.sections.children].map((section) => section.id).join()) return build(state);
      for (const name of state.loaded) if (!busy(state, name)) load(state, name);
    }, RELOAD_MS);
  }

  function busy(state, name) {
    const section = state.sections.querySelector(`#${CSS.escape(name)}`);
    return section !== null && (section.contains(document.activeElement) || section.querySelector("canvas.dimmed, details[open]") !== null || section.matches(":hover"));
  }

  return { open, plotly };
})();
