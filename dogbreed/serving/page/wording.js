// How the page says it.

export function percent(share) {
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  return share < 1 && share >= 0.9995 ? "> 99.9 %" : `${(100 * share).toFixed(1)} %`;
}

export function size(bytes) {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

export function headline(answer) {
  const best = answer.breeds[0];
  return answer.sure === false ? `Not sure, perhaps ${best.name}` : best.name;
}

// They are none that it has never met: they chose when its training was best.
const CHECKED = "the photos that its training was checked with";

// Sentences below the headline: none for a photo that is answered surely and looks like those it knows.
export function hints(answer, classes) {
  const found = [];
  if (answer.sure === false) found.push(unsure(answer));
  if (answer.familiar === false) found.push(unfamiliar(classes));
  return found;
}

function unsure({ unsureBelow, breeds }) {
  if (unsureBelow === null) {
    return `On ${CHECKED} this model was not shown to be right nine times in ten, however sure it was.`;
  }
  const threshold = `${Math.round(100 * unsureBelow)} %`;
  const share = percent(breeds[0].probability);
  return `${share} is little: only from ${threshold} on was this model right nine times in ten, on ${CHECKED}.`;
}

function unfamiliar(classes) {
  return (
    "This looks unlike the photos the model has learnt from. " +
    `Perhaps it shows no dog at all: the model names one of its ${classes} breeds all the same. ` +
    "This is only a hint: one in twenty photos of these breeds gets it too, and most dogs of other breeds do not."
  );
}

export function spoken(answer, classes) {
  const { name, probability } = answer.breeds[0];
  return [`${headline(answer)}, ${percent(probability)}.`, ...hints(answer, classes)].join(" ");
}
