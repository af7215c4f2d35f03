// Links out of this app. Airflow shows it in a frame whose sandbox lets no link leave it, so that Airflow would open
// within itself, and another site in Airflow: there the page around the frame, which is of the same origin, follows the
// link, to another site in a new tab.
"use strict";

(() => {
  if (window.parent === window) return;
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const isElsewhere = /^https?:$/.test(link.protocol) && link.origin !== location.origin;
    if (!isElsewhere && !(link.matches("[data-airflow]") && link.origin === location.origin)) return;
    try {
      const outer = window.parent.document.createElement("a");
      outer.href = link.href;
      if (isElsewhere) {
        outer.target = "_blank";
        outer.rel = "noopener noreferrer";
      }
      window.parent.document.body.append(outer);
      event.preventDefault();
      outer.click();
      outer.remove();
    } catch {
      // The page around is another one: the link opens here.
    }
  });
})();
