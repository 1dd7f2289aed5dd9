// Maps of tensors over steps: a cell says its tensor's name; beside a narrow map names would leave no room for it.
const NAMES_WIDTH = 520; // pixels

for (const box of document.querySelectorAll("[data-figure].map")) {
  const name = box.dataset.figure;
  views[name] = () => {
    const figure = structuredClone(report.figures[name]);
    const tensors = figure.layout.meta;
    for (const trace of figure.data) {
      trace.hovertext = trace.text.map((row, place) => row.map((text) => text && `${tensors[place]}<br>${text}`));
      delete trace.text;
    }
    figure.layout.yaxis.showticklabels = box.clientWidth >= NAMES_WIDTH;
    return figure;
  };
}
