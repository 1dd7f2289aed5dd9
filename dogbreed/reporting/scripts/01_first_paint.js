// Before anything is shown: the colours chosen the last time, and that scripts run at all.
(() => {
  document.documentElement.classList.add("scripted");
  try {
    const theme = localStorage.getItem("dogbreed-report-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // A browser may keep no memory for files: the system's colours then.
  }
})();
