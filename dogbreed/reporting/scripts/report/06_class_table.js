// The table of classes: sorted by the buttons in its head, the bars above it likewise; narrowed by a name.
const classTable = document.getElementById("classes-table");
const recallBox = document.querySelector("[data-figure=recall]");
const WHISKERED_BAR = 4; // pixels below which whiskers would hide the bars
let classOrder = null; // positions in the order of the rows, once they were sorted

function compare(first, second, column) {
  const [a, b] = [first, second].map((row) => row.cells[column].dataset.value);
  return column === 0 ? a.localeCompare(b) : Number(a) - Number(b);
}

function sortRows(column, direction) {
  const sign = direction === "ascending" ? 1 : -1;
  const rows = [...classTable.tBodies[0].rows];
  const empty = (row) => row.cells[column].dataset.value === "";
  rows.sort((a, b) => (empty(a) || empty(b) ? empty(a) - empty(b) : sign * compare(a, b, column)));
  classTable.tBodies[0].append(...rows);
  fold(classTable);
  classOrder = rows.map((row) => row.dataset.position);
  if (recallBox?.classList.contains("drawn")) draw(recallBox);
}

views.recall = () => {
  const figure = structuredClone(report.figures.recall);
  const [bars] = figure.data;
  if (recallBox.clientWidth < WHISKERED_BAR * bars.y.length) bars.error_y.visible = false;
  if (classOrder) Object.assign(figure.layout.xaxis, { categoryorder: "array", categoryarray: classOrder });
  return figure;
};

for (const button of classTable?.querySelectorAll("th .sort") ?? []) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const direction = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", direction);
    sortRows(head.cellIndex, direction);
  });
}

document.getElementById("filter")?.addEventListener("input", (event) => {
  const wanted = event.target.value.trim().toLocaleLowerCase();
  let found = 0;
  for (const row of classTable.tBodies[0].rows) {
    const matches = row.cells[0].dataset.value.toLocaleLowerCase().includes(wanted);
    row.classList.toggle("filtered", !matches);
    found += matches;
  }
  document.getElementById("filter-count").textContent = wanted ? `${found} found` : "";
  fold(classTable);
});
