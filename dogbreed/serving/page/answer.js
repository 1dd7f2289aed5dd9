// The photo, its breeds, and the overlay on what the network sees of it.

import { headline, hints, percent } from "./wording.js";

const SMALL = 320; // pixels: a photo of fewer is shown larger
const part = (id) => document.getElementById(id);

export function made(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// A photo that is not answered yet.
export function showPhoto({ name, url }) {
  part("asked").hidden = false;
  part("whole").hidden = false;
  part("unshown").hidden = true;
  part("whole").src = url;
  part("whole").alt = `Your photo, ${name}`;
  part("toggle").hidden = true;
  part("headline").textContent = "Looking …";
  part("headline").classList.add("waiting");
  part("hints").replaceChildren();
  part("breeds").replaceChildren();
  hideOverlay();
}

// `choose(index)` is called for the breed whose evidence is wanted.
export function showAnswer(answer, classes, choose) {
  part("headline").textContent = headline(answer);
  part("headline").classList.remove("waiting");
  part("hints").replaceChildren(...hints(answer, classes).map((text) => made("p", { class: "box warning" }, text)));
  part("breeds").replaceChildren(...answer.breeds.map((breed) => row(breed, choose)));
  part("toggle").hidden = false;
}

function row({ name, index, probability }, choose) {
  const share = percent(probability);
  const button = made("button", { type: "button", "data-index": index, "aria-pressed": "false" }, name);
  button.append(made("span", { class: "unseen" }, ": show what speaks for it"));
  button.addEventListener("click", () => choose(index));
  const bar = made("div", {
    class: "bar",
    role: "meter",
    "aria-label": name,
    "aria-valuemin": 0,
    "aria-valuemax": 100,
    "aria-valuenow": (100 * probability).toFixed(1),
    "aria-valuetext": share,
  });
  bar.style.setProperty("--value", `${100 * probability}%`);
  return made("li", {}, button, made("span", { class: "digits" }, share), bar);
}

// The overlay of a breed, laid over the square of the photo that the network sees.
export function showOverlay({ name, index }, url, { resize, crop }) {
  const { naturalWidth: width, naturalHeight: height } = part("whole");
  const side = width ? (crop / resize) * Math.min(width, height) : 1;
  part("overlay").style.setProperty("--side", `${(100 * side) / (width || 1)}%`);
  part("overlay").src = url;
  part("overlay").alt = `What the network sees of the photo, coloured where it speaks for ${name}`;
  part("meaning").textContent =
    `The brighter a place, the more it speaks for ${name}. The network sees the square only. ` +
    "Grad-CAM is a rough map: it says where the evidence lies, not what it is.";
  toggled(true, index);
}

export function hideOverlay() {
  part("overlay").removeAttribute("src");
  toggled(false, null);
}

// Whatever it said meanwhile.
export function nameToggle() {
  part("toggle").textContent = "Show what speaks for it";
}

function toggled(on, chosen) {
  nameToggle();
  part("overlay").hidden = part("legend").hidden = !on;
  part("toggle").setAttribute("aria-pressed", on);
  for (const button of part("breeds").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", on && Number(button.dataset.index) === chosen);
  }
}

export function hidePhoto() {
  part("asked").hidden = true;
  part("whole").removeAttribute("src");
}

part("whole").addEventListener("load", ({ target }) => {
  const { naturalWidth: width, naturalHeight: height } = target;
  target.classList.toggle("small", Math.max(width, height) < SMALL);
  target.style.setProperty("--ratio", width / height);
});
part("whole").addEventListener("error", () => {
  part("whole").hidden = true;
  part("unshown").hidden = false;
});
