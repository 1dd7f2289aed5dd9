// Light or dark: the system's choice until the button is pressed.
const themeButton = document.getElementById("theme");

function sayTheme() {
  themeButton.setAttribute("aria-pressed", isDark());
}

themeButton.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  try {
    localStorage.setItem("dogbreed-report-theme", root.dataset.theme);
  } catch {
    // Nothing is remembered, the page is dark all the same.
  }
  sayTheme();
  redraw();
});
systemDark.addEventListener("change", sayTheme);
sayTheme();
