"use strict";
// Parallel coordinates: one axis a quantity or knob, one line a network; a drag along an axis filters by it.
const ExplorerParallel = (() => {
  const { element, layers, drag, STEPS } = ExplorerCanvas;
  const MARGIN = { top: 66, bottom: 22, side: 46 };
  const LEAST_GAP = 74;
  // Lines that are drawn; of more, an even sample: a few hundred show a pattern, ten thousand a smear.
  const MAX_BEHIND = 700;
  const MAX_BRUSHED = 300;

  function make(model, { onFilter }) {
    const inner = element("div", { className: "explorer-parallel-inner" });
    const box = element("div", { className: "explorer-parallel", tabIndex: 0 }, inner);
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "Parallel coordinates of quantities and knobs. Drag along an axis to filter.");
    const layer = layers(inner);
    const view = { box, axes: [], filters: new Map() };
    let colors, heights, order, mask = null, shade;

    // Two networks with the same value lie a little apart, by a number that is always the same for a row.
    const spread = (row) => ((row * 0.6180339887) % 1) - 0.5;

    function place() {
      const width = Math.max(box.clientWidth, 2 * MARGIN.side + LEAST_GAP * (view.axes.length - 1));
      inner.style.width = `${width}px`;
      layer.fit(width, box.clientHeight);
      const bottom = layer.height - MARGIN.bottom;
      view.axes.forEach((axis, number) => {
        axis.at = MARGIN.side + (number * (width - 2 * MARGIN.side)) / Math.max(1, view.axes.length - 1);
        if (axis.kind === "quantity") axis.scale = ExplorerData.scale(axis.values, bottom, MARGIN.top);
        else axis.step = (bottom - MARGIN.top) / Math.max(1, axis.values.length);
        axis.height = (row) => {
          if (axis.kind === "quantity") return axis.scale.at(axis.values[row]);
          const value = axis.index[row];
          return value < 0 ? bottom + 7 : bottom - (value + 0.5 + 0.5 * spread(row)) * axis.step;
        };
      });
      heights = view.axes.map((axis) => Float32Array.from({ length: model.size }, (_, row) => axis.height(row)));
    }

    function resize() {
      if (!view.axes.length) return;
      place();
      draw();
    }

    function draw() {
      colors = ExplorerCanvas.theme();
      layer.base.clearRect(0, 0, layer.width, layer.height);
      lines(layer.base, sample(null, MAX_BEHIND), 0.22);
      drawTop();
    }

    function sample(keep, limit) {
      const rows = keep ? order.filter((row) => keep[row]) : order;
      const step = Math.max(1, rows.length / limit);
      return Array.from({ length: Math.min(rows.length, Math.floor(rows.length / step)) }, (_, i) => rows[Math.floor(i * step)]);
    }

    // `rows` are from poor to good, so that the good ones lie on top.
    function lines(context, rows, alpha) {
      context.globalAlpha = alpha;
      context.lineWidth = 1;
      for (let step = 0; step < STEPS; step += 1) {
        context.strokeStyle = colors.ramp[step];
        context.beginPath();
        for (const row of rows) {
          if (shade[row] !== step) continue;
          let started = false;
          for (let number = 0; number < view.axes.length; number += 1) {
            const y = heights[number][row];
            if (y !== y) { started = false; continue; }
            if (started) context.lineTo(view.axes[number].at, y);
            else context.moveTo(view.axes[number].at, y);
            started = true;
          }
        }
        context.stroke();
      }
      context.globalAlpha = 1;
    }

    function drawTop() {
      const context = layer.top;
      context.clearRect(0, 0, layer.width, layer.height);
      layer.dim(mask !== null);
      if (mask) lines(context, sample(mask, MAX_BRUSHED), 0.6);
      view.axes.forEach((axis) => drawAxis(context, axis));
    }

    function drawAxis(context, axis) {
      const bottom = layer.height - MARGIN.bottom;
      context.strokeStyle = colors.muted;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(Math.round(axis.at) + 0.5, MARGIN.top);
      context.lineTo(Math.round(axis.at) + 0.5, bottom);
      context.stroke();
      context.fillStyle = colors.ink;
      context.textAlign = "center";
      context.font = `600 ${colors.font}`;
      for (const [number, text] of wrapped(axis.short).entries()) context.fillText(text, axis.at, 13 + 13 * number);
      context.font = colors.font;
      context.fillStyle = colors.muted;
      if (axis.kind === "knob") context.fillText(`${Math.round(100 * axis.share)}\u202f%`, axis.at, MARGIN.top - 6);
      const ticks = axis.kind === "quantity"
        ? axis.scale.ticks.filter((_, number, all) => number % Math.ceil(all.length / 5) === 0).map((tick) => [ExplorerData.number(tick, axis.unit === "%" ? "" : axis.unit), axis.scale.at(tick)])
        : axis.values.map((value, number) => [String(value), bottom - (number + 0.5) * axis.step]);
      context.textAlign = "left";
      for (const [text, y] of ticks) {
        outlined(context, text, axis.at + 5, y + 4);
      }
      const filter = view.filters.get(axis.name);
      if (!filter) return;
      context.fillStyle = colors.accent;
      context.globalAlpha = 0.25;
      context.fillRect(axis.at - 9, Math.min(...filter), 18, Math.abs(filter[0] - filter[1]));
      context.globalAlpha = 1;
      context.strokeStyle = colors.accent;
      context.strokeRect(axis.at - 9, Math.min(...filter), 18, Math.abs(filter[0] - filter[1]));
    }

    // Text over lines can be read only on a ground of its own.
    function outlined(context, text, x, y) {
      context.lineWidth = 3;
      context.strokeStyle = colors.surface;
      context.strokeText(text, x, y);
      context.fillStyle = colors.muted;
      context.fillText(text, x, y);
    }

    // At most three lines of words, cut where they are too long for their column.
    function wrapped(text) {
      const lines = [];
      for (const word of text.split(/[ .]|(?<=:)/)) {
        const last = lines.at(-1);
        if (last !== undefined && `${last} ${word}`.length <= 10) lines[lines.length - 1] = `${last}${last.endsWith(":") ? "" : " "}${word}`;
        else lines.push(word);
      }
      return lines.slice(0, 3).map((line) => (line.length > 11 ? `${line.slice(0, 10)}…` : line));
    }

    const axisAt = ([x]) => view.axes.find((axis) => Math.abs(axis.at - x) < 16);

    drag(inner, {
      change(from, to) {
        const axis = axisAt(from);
        if (axis) { view.filters.set(axis.name, [from[1], to[1]]); onFilter(); }
      },
      end(from, to) {
        const axis = axisAt(from);
        if (axis && Math.abs(from[1] - to[1]) < 5 && view.filters.delete(axis.name)) onFilter();
      },
    });

    // Which rows pass every filter, or null when there is none.
    function passing() {
      if (!view.filters.size) return null;
      const kept = new Uint8Array(model.size).fill(1);
      view.axes.forEach((axis, number) => {
        const filter = view.filters.get(axis.name);
        if (!filter) return;
        const [low, high] = [Math.min(...filter), Math.max(...filter)];
        for (let row = 0; row < model.size; row += 1) {
          const y = heights[number][row];
          if (!(y >= low && y <= high)) kept[row] = 0;
        }
      });
      return kept;
    }

    return Object.assign(view, {
      resize, draw, passing,
      set(axes, quantity) {
        view.axes = axes;
        view.filters.clear();
        const sign = quantity.direction === "max" ? 1 : -1;
        order = [...Array(model.size).keys()].sort((a, b) => sign * (quantity.values[a] - quantity.values[b]) || a - b);
        shade = new Uint8Array(model.size);
        order.forEach((row, rank) => { shade[row] = Math.min(STEPS - 1, Math.floor((STEPS * rank) / order.length)); });
      },
      show(selected) { mask = selected; drawTop(); },
    });
  }

  return { make };
})();
