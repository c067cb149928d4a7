"use strict";
(() => {
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

  // A chosen network has a card further down; of others the report holds no more than the explorer shows.
  document.addEventListener("network", ({ detail }) => {
    const codes = [...document.querySelectorAll("#networks .card > header code")];
    codes.find((code) => code.textContent === detail.key)?.closest(".card").scrollIntoView();
  });
  Figures.mount(document);
  Explorer.mountAll(document);
  followScroll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    Figures.redraw();
    Explorer.redraw();
  });
})();
