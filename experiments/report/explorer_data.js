"use strict";
// What the explorer knows of a table of evaluated networks: columns as arrays, fronts, importance, numbers as text.
const ExplorerData = (() => {
  const MAX_KNOBS = 12;

  function prepare(table) {
    const quantities = table.columns.map((column) => ({
      ...column,
      kind: "quantity",
      values: Float64Array.from(column.values, (value) => (value === null ? NaN : value)),
    }));
    const knobs = table.knobs.map((knob) => ({
      name: knob.name,
      title: knob.name.replaceAll("_", " "),
      kind: "knob",
      values: knob.values,
      index: Int16Array.from(knob.index),
    }));
    return {
      size: table.keys.length,
      total: table.num_evaluated,
      frontLeftOut: table.num_front_left_out,
      keys: table.keys,
      labels: table.labels,
      chosen: new Set(table.chosen),
      quantities,
      knobs,
    };
  }

  // Rows that no other row beats in both columns, in ascending order of x; equal points are all on it.
  function front(x, y) {
    const sx = x.direction === "max" ? -1 : 1;
    const sy = y.direction === "max" ? -1 : 1;
    const rows = [];
    for (let row = 0; row < x.values.length; row += 1) {
      if (!Number.isNaN(x.values[row]) && !Number.isNaN(y.values[row])) rows.push(row);
    }
    rows.sort((a, b) => sx * (x.values[a] - x.values[b]) || sy * (y.values[a] - y.values[b]));
    const found = [];
    let best = Infinity;
    let last = -1;
    for (const row of rows) {
      const value = sy * y.values[row];
      const same = last >= 0 && x.values[row] === x.values[last] && y.values[row] === y.values[last];
      if (value < best || same) {
        found.push(row);
        best = value;
        last = row;
      }
    }
    return found.sort((a, b) => x.values[a] - x.values[b]);
  }

  // The share of a quantity's variance between the values of one knob (the correlation ratio), 0 to 1.
  function importance(knob, quantity) {
    const groups = new Map();
    let sum = 0;
    let squares = 0;
    let count = 0;
    quantity.values.forEach((value, row) => {
      if (Number.isNaN(value)) return;
      const group = groups.get(knob.index[row]) ?? { sum: 0, count: 0 };
      group.sum += value;
      group.count += 1;
      groups.set(knob.index[row], group);
      sum += value;
      squares += value * value;
      count += 1;
    });
    const mean = sum / count;
    const total = squares - count * mean * mean;
    let between = 0;
    for (const group of groups.values()) between += group.count * (group.sum / group.count - mean) ** 2;
    return total > 0 && count > 1 ? Math.min(1, Math.max(0, between / total)) : 0;
  }

  // The knobs that say most about a quantity, at most MAX_KNOBS unless all are asked for.
  function ranked(model, quantity, all) {
    const found = model.knobs
      .filter((knob) => knob.values.length > 1)
      .map((knob) => ({ ...knob, share: importance(knob, quantity) }))
      .sort((a, b) => b.share - a.share || a.name.localeCompare(b.name));
    return all ? found : found.slice(0, MAX_KNOBS);
  }

  function extent(values) {
    let low = Infinity;
    let high = -Infinity;
    for (const value of values) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return low <= high ? [low, high] : [0, 1];
  }

  // A scale from values to pixels; logarithmic where values are positive and span more than eight times.
  function scale(values, from, to) {
    const [low, high] = extent(values);
    const logarithmic = low > 0 && high / low > 8;
    const convert = logarithmic ? Math.log10 : (value) => value;
    const margin = 0.04 * (convert(high) - convert(low)) || 0.5;
    const start = convert(low) - margin;
    const factor = (to - from) / (convert(high) + margin - start);
    const at = (value) => from + (convert(value) - start) * factor;
    const back = (pixel) => (logarithmic ? 10 ** (start + (pixel - from) / factor) : start + (pixel - from) / factor);
    return { at, back, logarithmic, ticks: logarithmic ? logTicks(low, high) : linearTicks(low, high) };
  }

  function linearTicks(low, high) {
    const span = high - low || Math.abs(low) || 1;
    const power = 10 ** Math.floor(Math.log10(span / 5));
    const step = [1, 2, 5, 10].map((m) => m * power).find((candidate) => span / candidate <= 6);
    const ticks = [];
    for (let tick = Math.ceil(low / step); tick * step <= high + step * 1e-6; tick += 1) ticks.push(tick * step);
    return ticks;
  }

  function logTicks(low, high) {
    const mantissas = high / low < 100 ? [1, 2, 5] : [1];
    const ticks = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
      for (const mantissa of mantissas) {
        const tick = mantissa * 10 ** power;
        if (tick >= low && tick <= high) ticks.push(tick);
      }
    }
    return ticks.length > 1 ? ticks : linearTicks(low, high);
  }

  const PREFIXES = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

  function number(value, unit = "") {
    if (value === null || Number.isNaN(value)) return "not known";
    if (unit === "%") return value.toFixed(2);
    const [factor, prefix] = (unit === "count" || unit === "bytes") && PREFIXES.find(([each]) => Math.abs(value) >= each)
      || [1, ""];
    const scaled = value / factor;
    const text = Number(scaled.toPrecision(4)).toString();
    return prefix ? `${text}\u202f${prefix}` : text;
  }

  function withUnit(value, unit) {
    const text = number(value, unit);
    const shown = { count: "", bytes: "B" }[unit] ?? unit;
    // A prefix and its unit are one word: 932.5 kB.
    return shown && /[kMGT]$/.test(text) ? text + shown : `${text}${shown ? `\u202f${shown}` : ""}`;
  }

  return { prepare, front, importance, ranked, scale, number, withUnit, MAX_KNOBS };
})();
