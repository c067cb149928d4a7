"use strict";
// Small pieces that several views are made of. Text is always set as text, never as HTML.
const Parts = (() => {
  function el(tag, properties = {}, ...children) {
    const { dataset, ...rest } = properties;
    const made = Object.assign(document.createElement(tag), rest);
    Object.assign(made.dataset, dataset ?? {});
    made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return made;
  }

  const STATES = {
    new: "not begun", queued: "waiting", running: "running", pausing: "pausing", paused: "paused", stopping: "stopping", stopped: "stopped",
    done: "done", failed: "failed", interrupted: "interrupted", cancelled: "cancelled",
  };

  const pill = (state) => el("span", { className: "pill", dataset: { state } }, STATES[state] ?? state);

  // A bar, or nothing where it is not known how much there is to do.
  function progress(done, asked, label) {
    if (!asked) return null;
    const bar = el("progress", { max: asked, value: Math.min(done, asked) });
    bar.setAttribute("aria-label", label);
    return bar;
  }

  const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

  function ago(moment) {
    const seconds = (new Date(moment) - Date.now()) / 1000;
    const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? UNITS[3];
    const made = el("time", { dateTime: moment, textContent: relative.format(Math.round(seconds / size), unit) });
    made.title = new Date(moment).toLocaleString();
    return made;
  }

  const count = (number) => number.toLocaleString("en").replaceAll(",", "\u202f");

  function failure(problem, retry) {
    const button = retry && el("button", { type: "button", className: "button", textContent: "Try again", onclick: retry });
    const box = el("div", { className: "notice problem" }, el("p", {}, el("strong", { textContent: problem.status === 404 ? "Not here" : "That did not work" })), el("p", { textContent: problem.message }), button);
    box.setAttribute("role", "alert");
    return box;
  }

  const empty = (title, ...children) => el("div", { className: "notice" }, el("p", {}, el("strong", { textContent: title })), ...children);

  const command = (text) => el("pre", { className: "command", textContent: text });

  // A piece of HTML that the server made from its own escaped templates; scripts in it do not run.
  function piece(text) {
    const template = document.createElement("template");
    template.innerHTML = text;
    return template.content;
  }

  const waiting = (text = "Loading") => el("p", { className: "waiting", textContent: text });

  return { el, pill, progress, ago, count, failure, empty, command, piece, waiting, STATES };
})();
