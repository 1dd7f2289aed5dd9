// Photos come in, are asked about one after the other, and can be looked at again.

import { showModel } from "./about.js";
import { hideOverlay, hidePhoto, made, nameToggle, showAnswer, showOverlay, showPhoto } from "./answer.js";
import { ask, model as askModel, Refusal } from "./asking.js";
import { listen } from "./intake.js";
import { percent, size, spoken } from "./wording.js";

const KEPT = 12; // photos
const MOST = 5; // breeds of each
const part = (id) => document.getElementById(id);
const asked = [];
let model = null;
let shown = null;
let following = true; // whether the photo that is asked about is shown, until an earlier one is chosen
let current = new AbortController();
let explaining = new AbortController();

async function knownModel() {
  if (model === null) {
    model = await askModel();
    showModel(model);
  }
  return model;
}

async function take(files) {
  current.abort();
  const { signal } = (current = new AbortController());
  following = true;
  clearAlert();
  for (const file of files) {
    if (signal.aborted) return;
    await taken(file, signal);
  }
}

async function taken(file, signal) {
  const photo = { name: file.name || "The photo", file, url: URL.createObjectURL(file), overlays: new Map() };
  try {
    const { max_bytes: most } = await knownModel();
    if (file.size > most) throw new Refusal(`${photo.name} has ${size(file.size)}, more than the ${size(most)} allowed.`);
    wait(photo);
    photo.answer = await answered(photo, signal);
    keep(photo);
    if (following) return show(photo);
    drawStrip();
    say(`${photo.name}: ${spoken(photo.answer, model.names.length)}`);
  } catch (error) {
    URL.revokeObjectURL(photo.url);
    if (!signal.aborted) refused(error, photo);
  }
}

function wait(photo) {
  say(`Looking at ${photo.name}.`);
  document.body.classList.add("started");
  if (following) lookAt(photo);
}

function lookAt(photo) {
  explaining.abort();
  explaining = new AbortController();
  shown = photo;
  showPhoto(photo);
}

async function answered(photo, signal) {
  const options = { signal, waiting: waiting(photo, "headline") };
  const response = await ask("invocations", photo.file, "application/json;verbose", options);
  const { predictions, details } = await response.json();
  return {
    breeds: predictions[0].slice(0, MOST).map(({ index, probability }) => ({ index, probability, name: model.names[index] })),
    sure: details[0].sure,
    unsureBelow: details[0].unsure_below,
    familiar: details[0].familiar,
  };
}

function show(photo) {
  lookAt(photo);
  showAnswer(photo.answer, model.names.length, (index) => explain(photo, index));
  drawStrip();
  say(spoken(photo.answer, model.names.length));
}

async function explain(photo, index) {
  clearAlert();
  const breed = photo.answer.breeds.find((one) => one.index === index);
  photo.wanted = index;
  try {
    if (!photo.overlays.has(index)) {
      say(`Looking for what speaks for ${breed.name}.`);
      const options = { signal: explaining.signal, waiting: waiting(photo, "toggle") };
      const response = await ask(`explain?index=${index}`, photo.file, "image/png", options);
      photo.overlays.set(index, URL.createObjectURL(await response.blob()));
    }
    // Another photo or breed may have been chosen meanwhile.
    if (shown !== photo || photo.wanted !== index) return;
    showOverlay(breed, photo.overlays.get(index), model);
    say(`The photo is coloured where it speaks for ${breed.name}.`);
  } catch (error) {
    if (error.name === "AbortError" || shown !== photo) return;
    nameToggle();
    failed(error, () => explain(photo, index));
  }
}

part("toggle").addEventListener("click", () => {
  if (part("overlay").hidden) {
    explain(shown, shown.wanted ?? shown.answer.breeds[0].index);
  } else {
    hideOverlay();
    say("The photo as it is.");
  }
});

function keep(photo) {
  asked.unshift(photo);
  for (const { url, overlays } of asked.splice(KEPT)) [url, ...overlays.values()].forEach(URL.revokeObjectURL);
}

function drawStrip() {
  // The strip is drawn anew: the keyboard stays where it was, or at the end if that is gone.
  const inside = part("strip").contains(document.activeElement);
  const chosen = asked.find(({ button }) => button === document.activeElement) ?? asked.at(-1);
  part("earlier").hidden = asked.length < 2;
  part("strip").replaceChildren(...asked.map(stripItem));
  if (inside) chosen.button.focus({ preventScroll: true });
}

function stripItem(photo) {
  const { name, probability } = photo.answer.breeds[0];
  const button = made("button", { type: "button", "aria-current": photo === shown });
  button.append(made("img", { src: photo.url, alt: "" }), made("span", {}, name));
  button.append(made("span", { class: "digits" }, percent(probability)));
  button.addEventListener("click", () => {
    following = false;
    clearAlert();
    show(photo);
  });
  photo.button = button;
  return made("li", {}, button);
}

// Says so where the answer is awaited.
function waiting(photo, place) {
  return (seconds) => {
    say(`The server is busy: asking again in ${seconds} s.`);
    if (shown === photo) part(place).textContent = `The server is busy, asking again in ${seconds} s …`;
  };
}

function refused(error, { name, file }) {
  if (following) {
    hidePhoto();
    shown = null;
    drawStrip();
  }
  // The server does not know what the photo is called.
  error.message = error.message.replace(/^The photo/, name);
  failed(error, () => take([file]));
}

function failed(error, again) {
  say("");
  const sentence = error instanceof Refusal ? error.message : `The page failed: ${error.message}`;
  const box = made("div", { class: "box warning" }, made("p", {}, sentence));
  if (error.again) {
    const button = made("button", { class: "button", type: "button" }, "Try again");
    button.addEventListener("click", again);
    box.append(button);
  }
  // Of several photos more than one can be refused.
  part("alert").append(box);
}

function clearAlert() {
  part("alert").replaceChildren();
}

function say(sentence) {
  part("said").textContent = sentence;
}

listen(take, (message) => {
  clearAlert();
  failed(new Refusal(message));
});
knownModel().catch((error) => failed(error, () => location.reload()));
