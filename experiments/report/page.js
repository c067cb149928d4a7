"use strict";
(() => {
  const VARIABLE = /^var\((--[a-z0-9-]+)\)$/;

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
    return Plotly.react(plot, data, layout, figure.config);
  }

  function drawAll() {
    for (const plot of document.querySelectorAll(".plot")) draw(plot);
  }

  function followScroll() {
    const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
    const seen = new Set();
    const observer = new IntersectionObserver((entries) => {
      for (const entry of entries) entry.isIntersecting ? seen.add(entry.target.id) : seen.delete(entry.target.id);
      const current = [...links.keys()].find((id) => seen.has(id));
      for (const [id, link] of links) link.toggleAttribute("aria-current", id === current);
      if (current) reveal(links.get(current));
    }, { rootMargin: "-80px 0px -55% 0px" });
    for (const section of document.querySelectorAll("main > section")) observer.observe(section);
  }

  // scrollIntoView would also scroll the page; only the bar of links may move.
  function reveal(link) {
    const bar = link.closest("ul");
    bar.scrollTo({ left: link.offsetLeft - bar.clientWidth / 2 + link.offsetWidth / 2 });
  }

  drawAll();
  followScroll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
})();
