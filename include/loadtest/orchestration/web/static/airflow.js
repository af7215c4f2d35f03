// Links to Airflow's own pages. Airflow shows this app in a frame whose sandbox lets no link leave it, so that Airflow
// would open within itself: there the link is followed by the page around the frame, which is of the same origin.
"use strict";

(() => {
  if (window.parent === window) return;
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-airflow]");
    if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (new URL(link.href).origin !== location.origin) return;
    try {
      const outer = window.parent.document.createElement("a");
      outer.href = link.href;
      window.parent.document.body.append(outer);
      event.preventDefault();
      outer.click();
      outer.remove();
    } catch {
      // The page around is another one: the link opens here.
    }
  });
})();
