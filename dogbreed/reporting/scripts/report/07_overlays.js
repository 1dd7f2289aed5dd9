// A photo or its Grad-CAM overlay: a button for each photo, and one for all photos of a gallery.
function showOverlay(toggle, shown) {
  const [photo, overlay] = toggle.closest(".photo").querySelectorAll("img");
  photo.hidden = shown;
  overlay.hidden = !shown;
  toggle.setAttribute("aria-pressed", shown);
}

const isPressed = (button) => button.getAttribute("aria-pressed") === "true";

for (const toggle of document.querySelectorAll(".overlay-toggle")) {
  toggle.addEventListener("click", () => showOverlay(toggle, !isPressed(toggle)));
}

for (const all of document.querySelectorAll(".all-overlays")) {
  all.addEventListener("click", () => {
    const shown = !isPressed(all);
    all.setAttribute("aria-pressed", shown);
    for (const toggle of all.closest(".gallery-box").querySelectorAll(".overlay-toggle")) showOverlay(toggle, shown);
  });
}
