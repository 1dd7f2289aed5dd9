// Buttons that copy a command.
function copySelected(code) {
  const selection = getSelection();
  selection.selectAllChildren(code);
  const copied = document.execCommand("copy");
  if (copied) selection.removeAllRanges();
  return copied;
}

async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return true;
  } catch {
    // Older browsers, and pages without the permission.
    return copySelected(code);
  }
}

for (const button of document.querySelectorAll(".copy")) {
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    const copied = await copy(button.parentElement.querySelector("code"));
    button.textContent = copied ? "Copied" : "Press Ctrl+C";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
}
