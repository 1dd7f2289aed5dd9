// The confusion matrix: share or counts, clustered or alphabetical, names where they fit.
const LABEL_HEIGHT = 12; // pixels
const FRAMED_CELL = 4; // pixels below which frames would hide what they frame
const matrixBox = document.querySelector("[data-figure=confusion]");
const choices = { measure: "share", order: "clustered" };

function reordered(figure, places) {
  const [trace] = figure.data;
  for (const key of ["z", "hovertext", "text"].filter((key) => trace[key])) {
    const rows = trace[key];
    trace[key] = places.map((row) => places.map((column) => rows[row][column]));
  }
  figure.layout.shapes = [];
  for (const axis of [figure.layout.xaxis, figure.layout.yaxis]) {
    axis.ticktext = places.map((place) => axis.ticktext[place]);
  }
  return figure;
}

function labelsFit(classes) {
  return (0.75 * matrixBox.clientHeight) / classes >= LABEL_HEIGHT;
}

views.confusion = () => {
  const figure = structuredClone(report.figures[`confusion-${choices.measure}`]);
  const { layout } = figure;
  const classes = report.alphabetical.length;
  if (matchMedia("(pointer: fine)").matches) layout.dragmode = "zoom";
  if (matrixBox.clientWidth < FRAMED_CELL * classes) layout.shapes = [];
  // Names that are made only to be hidden take most of the time.
  for (const axis of [layout.xaxis, layout.yaxis]) axis.showticklabels = labelsFit(classes);
  return choices.order === "clustered" ? figure : reordered(figure, report.alphabetical);
};

function fitLabels() {
  const [low, high] = matrixBox.layout.yaxis.range;
  const fit = labelsFit(Math.abs(high - low));
  if (fit === matrixBox.layout.yaxis.showticklabels) return;
  Plotly.relayout(matrixBox, { "xaxis.showticklabels": fit, "yaxis.showticklabels": fit });
}

afterDrawing.confusion = () => {
  if (!matrixBox.listening) matrixBox.on("plotly_relayout", fitLabels);
  matrixBox.listening = true;
};

for (const button of document.querySelectorAll("[data-choice] button")) {
  button.addEventListener("click", () => {
    const group = button.closest("[data-choice]");
    choices[group.dataset.choice] = button.dataset.value;
    for (const other of group.querySelectorAll("button")) other.setAttribute("aria-pressed", other === button);
    for (const legend of document.querySelectorAll("[data-measure]")) {
      legend.hidden = legend.dataset.measure !== choices.measure;
    }
    draw(matrixBox);
  });
}
