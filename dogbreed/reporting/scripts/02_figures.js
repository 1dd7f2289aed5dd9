"use strict";

// Figures are drawn when they come near the window, and anew when colours, size or choices change.
const report = JSON.parse(document.getElementById("report-data").textContent);
const root = document.documentElement;
const boxes = [...document.querySelectorAll("[data-figure]")];
const views = {}; // figures that depend on choices: name -> function that makes the figure
const afterDrawing = {}; // name -> function of the box
const CONFIG = { displayModeBar: false, doubleClick: "reset", showTips: false, responsive: false };
const systemDark = matchMedia("(prefers-color-scheme: dark)");
let printing = false;

function isDark() {
  return !printing && (root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches);
}

function recoloured(value, colours) {
  if (typeof value === "string") return Object.hasOwn(colours, value) ? colours[value] : value;
  if (Array.isArray(value)) return value.map((entry) => recoloured(entry, colours));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, recoloured(entry, colours)]));
}

function draw(box) {
  const name = box.dataset.figure;
  const figure = recoloured(views[name] ? views[name]() : report.figures[name], isDark() ? report.dark : {});
  const layout = { ...figure.layout, width: box.clientWidth, height: box.clientHeight };
  Plotly.react(box, figure.data, layout, CONFIG);
  box.classList.add("drawn");
  afterDrawing[name]?.(box);
}

function redraw() {
  boxes.filter((box) => box.classList.contains("drawn")).forEach(draw);
}

const nearing = new IntersectionObserver(
  (entries) => {
    for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
      nearing.unobserve(target);
      if (!target.classList.contains("drawn")) draw(target);
    }
  },
  { rootMargin: "400px 0px" },
);

const resized = new ResizeObserver((entries) => {
  if (printing) return;
  for (const { target } of entries.filter((entry) => entry.target.classList.contains("drawn"))) {
    const { clientWidth: width, clientHeight: height } = target;
    if (width && (width !== target.layout.width || height !== target.layout.height)) draw(target);
  }
});

systemDark.addEventListener("change", redraw);
// The other scripts must have said what the figures depend on.
addEventListener("DOMContentLoaded", () => {
  for (const box of boxes) {
    nearing.observe(box);
    resized.observe(box);
  }
});
