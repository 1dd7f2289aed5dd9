// What is known of the model itself.

import { made } from "./answer.js";
import { percent } from "./wording.js";

const part = (id) => document.getElementById(id);

export function showModel(model) {
  part("summary").textContent =
    `Show a photo of a dog, and see which of ${model.names.length} breeds it could be.`;
  part("drawn").hidden = !model.synthetic;
  const facts = Object.entries({
    Network: model.backbone,
    "Right on test photos": accuracy(model.figures),
    "Sure from": sureFrom(model.thresholds),
    Limits: model.limits.join(" "),
    Version: model.version,
  }).filter(([, value]) => value);
  part("facts").replaceChildren(
    ...facts.map(([name, value]) => made("div", {}, made("dt", {}, name), made("dd", {}, value))),
  );
  part("known").replaceChildren(...model.names.map((name) => made("li", {}, name)));
  part("about").hidden = false;
}

function accuracy({ accuracy, interval, photos }) {
  if (accuracy === null) return null;
  const ends = interval ? `, 95 % interval ${interval.map(percent).join(" to ")}` : "";
  return `${percent(accuracy)}${photos ? ` of ${photos}` : ""}${ends}`;
}

function sureFrom(thresholds) {
  if (!thresholds) return "unknown: the model was stored without it";
  return thresholds.unsure_below === null ? "never" : percent(thresholds.unsure_below);
}
