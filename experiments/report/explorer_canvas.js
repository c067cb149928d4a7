"use strict";
// Canvases of the explorer: two layers each, one that stays and one that is drawn again while a person brushes.
const ExplorerCanvas = (() => {
  function element(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  // Two canvases in a box, as sharp as the screen; `fit` gives them the size of the box, or a width of their own.
  function layers(box) {
    const canvases = [element("canvas"), element("canvas")];
    for (const canvas of canvases) canvas.setAttribute("aria-hidden", "true");
    box.append(...canvases);
    const found = {
      width: 0,
      height: 0,
      base: canvases[0].getContext("2d"),
      top: canvases[1].getContext("2d"),
      dim: (value) => canvases[0].classList.toggle("dimmed", value),
      fit(width = box.clientWidth, height = box.clientHeight) {
        const ratio = Math.min(devicePixelRatio || 1, 2);
        found.width = width;
        found.height = height;
        for (const canvas of canvases) {
          canvas.width = Math.max(1, Math.round(width * ratio));
          canvas.height = Math.max(1, Math.round(height * ratio));
          canvas.style.width = `${width}px`;
          canvas.style.height = `${height}px`;
          canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
        }
      },
    };
    return found;
  }

  function theme() {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(`--${name}`).trim();
    return {
      ink: color("ink"), muted: color("muted"), line: color("line"), faint: color("faint"), surface: color("surface"),
      main: color("series-1"), chosen: color("series-2"), accent: color("accent"),
      ramp: ramp(color("faint"), color("series-4"), color("series-1")),
      font: `12px ${style.fontFamily || "system-ui, sans-serif"}`,
    };
  }

  const STEPS = 7;

  // Colours from poor to good, so that lines can be drawn in as many strokes.
  function ramp(low, middle, high) {
    const stops = [low, middle, high].map(channels);
    return Array.from({ length: STEPS }, (_, step) => {
      const place = (2 * step) / (STEPS - 1);
      const first = Math.min(1, Math.floor(place));
      const mixed = stops[first].map((value, i) => Math.round(value + (stops[first + 1][i] - value) * (place - first)));
      return `rgb(${mixed.join(" ")})`;
    });
  }

  function channels(hex) {
    const digits = hex.replace("#", "");
    return [0, 2, 4].map((start) => parseInt(digits.slice(start, start + 2), 16));
  }

  // A dot drawn once and copied: ten thousand copies are several times faster than as many arcs.
  function sprite(color, radius, alpha) {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const side = 2 * radius + 2;
    const canvas = element("canvas", { width: Math.ceil(side * ratio), height: Math.ceil(side * ratio) });
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.globalAlpha = alpha;
    context.fillStyle = color;
    context.beginPath();
    context.arc(side / 2, side / 2, radius, 0, 2 * Math.PI);
    context.fill();
    return { canvas, side };
  }

  // A canvas that is never shown, of the size of a layer: what is drawn on it once is copied in one go.
  function hidden({ width, height }) {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const canvas = element("canvas", { width: Math.max(1, Math.round(width * ratio)), height: Math.max(1, Math.round(height * ratio)) });
    canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
    return canvas;
  }

  // Call `change` with the pointer's place at most once a frame, and `end` when it is let go.
  function drag(box, { start, change, end, move, leave }) {
    let origin = null;
    let pending = null;
    const place = (event) => {
      const frame = box.getBoundingClientRect();
      return [event.clientX - frame.left, event.clientY - frame.top];
    };
    const flush = () => {
      const run = pending;
      pending = null;
      run();
    };
    const soon = (run) => {
      if (pending === null) requestAnimationFrame(flush);
      pending = run;
    };
    box.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      origin = place(event);
      box.setPointerCapture(event.pointerId);
      start?.(origin);
    });
    box.addEventListener("pointermove", (event) => {
      const now = place(event);
      soon(() => (origin ? change?.(origin, now) : move?.(now)));
    });
    box.addEventListener("pointerup", (event) => {
      if (!origin) return;
      const from = origin;
      const now = place(event);
      origin = null;
      soon(() => end?.(from, now));
    });
    box.addEventListener("pointercancel", () => { origin = null; });
    box.addEventListener("pointerleave", () => { if (!origin) leave?.(); });
  }

  return { element, layers, hidden, theme, sprite, drag, STEPS };
})();
