"use strict";
// Figures: plotly's, described as JSON beside each plot. Shared by the report and the page that `nas serve` shows.
const Figures = (() => {
  const VARIABLE = /^var\((--[a-z0-9-]+)\)$/;
  const waiting = new WeakSet();

  // Figures name colours as CSS variables, so that the style sheet alone decides them, in both themes.
  function resolved(value, style) {
    if (typeof value === "string") {
      const match = VARIABLE.exec(value);
      return match ? style.getPropertyValue(match[1]).trim() : value;
    }
    if (Array.isArray(value)) return value.map((item) => resolved(item, style));
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolved(item, style)]));
    }
    return value;
  }

  function draw(plot) {
    const figure = JSON.parse(plot.nextElementSibling.textContent);
    const { data, layout } = resolved(figure, getComputedStyle(document.documentElement));
    // A finger that scrolls the page must not zoom a figure.
    if (matchMedia("(pointer: coarse)").matches) layout.dragmode = false;
    waiting.delete(plot);
    plot.dataset.drawn = "true";
    return Plotly.react(plot, data, layout, figure.config);
  }

  // A figure is drawn when it comes near the screen: a page of twenty opens as fast as one of two.
  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      near.unobserve(target);
      draw(target);
    }
  }, { rootMargin: "600px" });

  function mount(root) {
    for (const plot of root.querySelectorAll(".plot")) {
      waiting.add(plot);
      near.observe(plot);
    }
  }

  function redraw() {
    for (const plot of document.querySelectorAll(".plot")) if (!waiting.has(plot)) draw(plot);
  }

  // Printing shows the whole page, drawn or not.
  function drawAll() {
    for (const plot of document.querySelectorAll(".plot:not([data-drawn])")) draw(plot);
  }

  addEventListener("beforeprint", drawAll);
  return { mount, redraw, drawAll };
})();
