// The table of contents: folded on a narrow window, and marked where the reader is.
const contentsList = document.querySelector(".contents details");
const links = new Map([...contentsList.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
const wide = matchMedia("(min-width: 1080px)");

function unfoldContents() {
  contentsList.open = wide.matches;
}

const reading = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) links.get(target.id).setAttribute("aria-current", "true");
      else links.get(target.id).removeAttribute("aria-current");
    }
  },
  { rootMargin: "-15% 0px -75% 0px" },
);

for (const section of document.querySelectorAll("main > section")) reading.observe(section);
contentsList.addEventListener("click", (event) => {
  if (event.target.closest("a") && !wide.matches) contentsList.open = false;
});
wide.addEventListener("change", unfoldContents);
unfoldContents();
