// Long lists show their beginning, and a button that shows the rest.

const narrow = matchMedia("(max-width: 640px)");

function shownAtFirst(list) {
  return Math.ceil(Number(list.dataset.fold) / (narrow.matches ? 2 : 1));
}

function foldable(list) {
  return [...(list.tBodies?.[0] ?? list).children];
}

function fold(list) {
  const open = list.dataset.open !== undefined;
  const items = foldable(list).filter((item) => !item.classList.contains("filtered"));
  items.forEach((item, place) => item.classList.toggle("folded", !open && place >= shownAtFirst(list)));
}

for (const list of document.querySelectorAll("[data-fold]")) {
  const count = foldable(list).length;
  if (count <= shownAtFirst(list)) continue;
  const button = document.createElement("button");
  const say = () => {
    const open = list.dataset.open !== undefined;
    button.textContent = open ? "Show fewer" : `Show all ${count} ${list.dataset.things}`;
    button.setAttribute("aria-expanded", open);
  };
  button.type = "button";
  button.className = "toggle unfold";
  button.addEventListener("click", () => {
    if (list.dataset.open === undefined) list.dataset.open = "";
    else delete list.dataset.open;
    fold(list);
    say();
  });
  list.after(button);
  fold(list);
  say();
}
