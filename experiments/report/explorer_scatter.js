"use strict";
// Two quantities of all networks as points, with their front; a drag brushes, a click picks, arrow keys walk the front.
const ExplorerScatter = (() => {
  const { element, layers, hidden, sprite, drag } = ExplorerCanvas;
  const MARGIN = { left: 58, right: 18, top: 14, bottom: 44 };
  const NEAR = 14;

  function make(model, { onBrush, onPick }) {
    const tip = element("div", { className: "explorer-tip", hidden: true });
    const box = element("div", { className: "explorer-scatter", tabIndex: 0 });
    box.setAttribute("role", "application");
    box.setAttribute("aria-label", "All networks as points. Arrow keys walk along the front, Enter opens a network, Escape clears the brush.");
    const layer = layers(box);
    box.append(tip);
    const view = { box, x: null, y: null, front: [], brush: null, hovered: -1, picked: -1 };
    let places, colors, bright, dot, mask = null, plain = false;

    function resize() {
      layer.fit();
      draw();
    }

    function draw() {
      colors = ExplorerCanvas.theme();
      const { width, height } = layer;
      view.sx = ExplorerData.scale(view.x.values, MARGIN.left, width - MARGIN.right);
      view.sy = ExplorerData.scale(view.y.values, height - MARGIN.bottom, MARGIN.top);
      places = new Float32Array(2 * model.size);
      for (let row = 0; row < model.size; row += 1) {
        places[2 * row] = view.sx.at(view.x.values[row]);
        places[2 * row + 1] = view.sy.at(view.y.values[row]);
      }
      layer.base.clearRect(0, 0, width, height);
      axes(layer.base);
      dots(layer.base, null, sprite(colors.muted, 2.6, model.size > 2000 ? 0.3 : 0.5));
      dot = sprite(colors.main, 2.8, 0.55);
      bright = hidden(layer);
      dots(bright.getContext("2d"), null, dot);
      drawTop();
    }

    function axes(context) {
      const { width, height } = layer;
      context.font = colors.font;
      context.strokeStyle = colors.line;
      context.fillStyle = colors.muted;
      context.lineWidth = 1;
      context.textAlign = "center";
      for (const tick of view.sx.ticks) {
        const x = Math.round(view.sx.at(tick)) + 0.5;
        line(context, x, MARGIN.top, x, height - MARGIN.bottom);
        context.fillText(ExplorerData.number(tick, view.x.unit === "%" ? "" : view.x.unit), x, height - MARGIN.bottom + 17);
      }
      context.textAlign = "right";
      for (const tick of view.sy.ticks) {
        const y = Math.round(view.sy.at(tick)) + 0.5;
        line(context, MARGIN.left, y, width - MARGIN.right, y);
        context.fillText(ExplorerData.number(tick, view.y.unit === "%" ? "" : view.y.unit), MARGIN.left - 8, y + 4);
      }
      context.textAlign = "center";
      const better = view.x.direction === "min" ? "← less is better" : "more is better →";
      const kind = view.sx.logarithmic ? ", logarithmic" : "";
      context.fillText(`${better}${kind}`, (MARGIN.left + width - MARGIN.right) / 2, height - 8);
    }

    function line(context, x1, y1, x2, y2) {
      context.beginPath();
      context.moveTo(x1, y1);
      context.lineTo(x2, y2);
      context.stroke();
    }

    function dots(context, keep, { canvas, side }) {
      for (let row = 0; row < model.size; row += 1) {
        if (keep && !keep[row]) continue;
        const x = places[2 * row];
        if (x === x) context.drawImage(canvas, x - side / 2, places[2 * row + 1] - side / 2, side, side);
      }
    }

    function drawTop() {
      const context = layer.top;
      context.clearRect(0, 0, layer.width, layer.height);
      layer.dim(mask !== null);
      if (mask && plain) inside(context);
      else if (mask) dots(context, mask, dot);
      staircase(context);
      for (const row of view.front) ring(context, row, 4.2, colors.main, !mask || mask[row] === 1);
      for (const row of model.chosen) ring(context, row, 7.5, colors.chosen, false);
      if (view.brush) rectangle(context);
      for (const row of new Set([view.hovered, view.picked])) if (row >= 0) ring(context, row, 10, colors.ink, false);
      names(context);
    }

    // With a brush alone, what is selected is what lies in its rectangle: one copy instead of thousands of dots.
    function inside(context) {
      const [[x1, y1], [x2, y2]] = view.brush;
      context.save();
      context.beginPath();
      context.rect(x1, y1, x2 - x1, y2 - y1);
      context.clip();
      context.drawImage(bright, 0, 0, layer.width, layer.height);
      context.restore();
    }

    function staircase(context) {
      context.strokeStyle = colors.main;
      context.globalAlpha = 0.6;
      context.lineWidth = 1.6;
      context.beginPath();
      const after = view.x.direction === "min";
      view.front.forEach((row, place) => {
        const x = places[2 * row];
        const y = places[2 * row + 1];
        const before = view.front[place - 1];
        if (before === undefined) context.moveTo(x, y);
        else if (after) context.lineTo(x, places[2 * before + 1]);
        else context.lineTo(places[2 * before], y);
        context.lineTo(x, y);
      });
      context.stroke();
      context.globalAlpha = 1;
    }

    function ring(context, row, radius, color, filled) {
      context.beginPath();
      context.arc(places[2 * row], places[2 * row + 1], radius, 0, 2 * Math.PI);
      context.fillStyle = filled ? color : colors.surface;
      if (filled || radius < 5) context.fill();
      context.strokeStyle = color;
      context.lineWidth = 1.8;
      context.stroke();
    }

    function names(context) {
      context.font = `600 ${colors.font}`;
      context.fillStyle = colors.ink;
      const above = view.y.direction === "max" ? -13 : 21;
      for (const row of model.chosen) {
        context.textAlign = places[2 * row] < layer.width / 2 ? "left" : "right";
        context.fillText(model.labels[row], places[2 * row] + (context.textAlign === "left" ? 6 : -6), places[2 * row + 1] + above);
      }
    }

    function rectangle(context) {
      const [[x1, y1], [x2, y2]] = view.brush;
      context.fillStyle = colors.accent;
      context.globalAlpha = 0.1;
      context.fillRect(x1, y1, x2 - x1, y2 - y1);
      context.globalAlpha = 1;
      context.strokeStyle = colors.accent;
      context.lineWidth = 1;
      context.strokeRect(x1 + 0.5, y1 + 0.5, x2 - x1, y2 - y1);
    }

    function nearest([x, y]) {
      let found = -1;
      let least = NEAR * NEAR;
      for (let row = 0; row < model.size; row += 1) {
        const distance = (places[2 * row] - x) ** 2 + (places[2 * row + 1] - y) ** 2;
        if (distance < least) [found, least] = [row, distance];
      }
      return found;
    }

    function hover(row) {
      if (row === view.hovered) return;
      view.hovered = row;
      tip.hidden = row < 0;
      if (row >= 0) {
        const lines = [view.y, view.x].map((q) => `${ExplorerData.withUnit(q.values[row], q.unit)} (${q.obtained.join(" or ")})`);
        tip.replaceChildren(element("strong", { textContent: model.labels[row] || model.keys[row].slice(0, 8) }), ...lines.map((text) => element("span", { textContent: text })));
        const left = places[2 * row] > layer.width / 2;
        tip.style.left = `${places[2 * row] + (left ? -12 : 12)}px`;
        tip.style.top = `${places[2 * row + 1]}px`;
        tip.classList.toggle("left", left);
      }
      drawTop();
    }

    // What lies inside the brush, as ranges of the two quantities; null without a brush.
    function ranges() {
      if (!view.brush) return null;
      const [[x1, y1], [x2, y2]] = view.brush;
      const sorted = (a, b) => (a < b ? [a, b] : [b, a]);
      return { x: sorted(view.sx.back(x1), view.sx.back(x2)), y: sorted(view.sy.back(y1), view.sy.back(y2)) };
    }

    drag(box, {
      change(from, to) { view.brush = [from, to]; onBrush(); },
      end(from, to) {
        if (Math.hypot(from[0] - to[0], from[1] - to[1]) > 5) { onBrush(); return; }
        const row = nearest(to);
        if (row >= 0) pick(row);
        else { view.brush = null; onBrush(); }
      },
      move: (at) => hover(nearest(at)),
      leave: () => hover(-1),
    });

    function pick(row) {
      view.picked = row;
      hover(row);
      onPick(row);
    }

    box.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (step && view.front.length) {
        const now = view.front.indexOf(view.hovered);
        const next = now < 0 ? (step > 0 ? 0 : view.front.length - 1) : Math.min(view.front.length - 1, Math.max(0, now + step));
        hover(view.front[next]);
      } else if (event.key === "Enter" && view.hovered >= 0) pick(view.hovered);
      else if (event.key === "Escape") { view.brush = null; onBrush(); }
      else return;
      event.preventDefault();
    });

    return Object.assign(view, {
      resize, draw, ranges, hover,
      axes(x, y) { Object.assign(view, { x, y, front: ExplorerData.front(x, y), brush: null, hovered: -1 }); tip.hidden = true; },
      show(selected, brushOnly) { mask = selected; plain = brushOnly; drawTop(); },
      clear() { view.brush = null; },
      mark(row) { view.picked = row; drawTop(); },
    });
  }

  return { make };
})();
