// The ways by which photos come: chosen, taken, dropped, pasted.

const intake = document.getElementById("intake");

// `take(files)` is called with at least one file, `refuse(message)` where there was none.
export function listen(take, refuse) {
  for (const input of document.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => {
      const files = [...input.files];
      // Else the same photo could not be chosen again.
      input.value = "";
      if (files.length) take(files);
    });
  }
  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (files.length) take(files);
    else refuse("There is no photo in the clipboard. Copy the picture itself, not its file's name or address.");
  });
  listenToDrops(take, refuse);
}

function listenToDrops(take, refuse) {
  // Entering a part of the page is told before leaving the whole.
  let depth = 0;
  const mark = (change) => {
    depth = Math.max(0, depth + change);
    intake.classList.toggle("aimed", depth > 0);
  };
  document.addEventListener("dragenter", () => mark(1));
  document.addEventListener("dragleave", () => mark(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(-depth);
    const files = [...event.dataTransfer.files];
    if (files.length) take(files);
    else refuse("That was no file. Save the photo first, then drop it here.");
  });
}
