// On paper: light, every figure drawn at the width of the paper, everything unfolded.
const folded = [...document.querySelectorAll("main details:not([open])")];

addEventListener("beforeprint", () => {
  printing = true;
  root.classList.add("printing");
  for (const details of folded) details.open = true;
  boxes.forEach(draw);
});

addEventListener("afterprint", () => {
  printing = false;
  root.classList.remove("printing");
  for (const details of folded) details.open = false;
  boxes.forEach(draw);
});
