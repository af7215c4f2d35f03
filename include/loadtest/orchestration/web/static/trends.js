// From run to run in a chart by the arrow keys, and what the pointer is on in words below it.
"use strict";

for (const plot of document.querySelectorAll(".trend-plot")) {
  const runs = [...plot.querySelectorAll(".trend-dots a")];
  const told = plot.closest(".trend").nextElementSibling;
  let here = runs.length;

  const show = (place) => {
    runs[here]?.classList.remove("here");
    here = Math.max(0, Math.min(runs.length - 1, place));
    runs[here]?.classList.add("here");
    told.textContent = runs[here]?.querySelector("title").textContent ?? "";
  };
  plot.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: runs.length - 1 };
    if (event.key in steps) {
      event.preventDefault();
      show(steps[event.key]);
    } else if (event.key === "Enter" && runs[here]) {
      location.assign(runs[here].getAttribute("href"));
    }
  });
  plot.addEventListener("pointerover", (event) => {
    const run = event.target.closest(".trend-dots a");
    if (run) show(runs.indexOf(run));
  });
}
