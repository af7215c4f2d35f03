// Changing baselines and marks: what the form says goes to the server as JSON, its answer is told in one line.
"use strict";

const DONE = "loadtest-done";
const told = document.getElementById("action-status");

const tell = (text, failed) => {
  told.classList.toggle("failed", failed);
  told.textContent = text;
  told.focus();
};

const orderOf = (form, button) => {
  const fields = new FormData(form);
  const text = (name) => (fields.get(name) ?? "").trim();
  const order = { reason: text("reason"), accept_regression: fields.has("accept_regression") };
  if (form.dataset.target) order.target = form.dataset.target;
  if (form.dataset.baseline) order.baseline_id = Number(form.dataset.baseline);
  if (text("run_ids")) order.run_ids = text("run_ids");
  if (text("since")) order.since = `${text("since")}Z`;
  const profile = form.dataset.profile ?? text("profile");
  // Runs that are named say of which profile they are.
  if (profile && !order.run_ids) order.profile = profile;
  return [button.dataset.action, order];
};

const send = async (form, button) => {
  const [address, order] = orderOf(form, button);
  const buttons = form.querySelectorAll("button");
  for (const one of buttons) one.disabled = true;
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Loadtest": "1", Accept: "application/json" },
      body: JSON.stringify(order),
    });
    const content = await answer.json();
    if (answer.ok) {
      sessionStorage.setItem(DONE, content.done);
      location.reload();
      return;
    }
    tell(`Nothing was changed: ${content.detail}`, true);
  } catch (error) {
    tell(`It is not known whether this was done: ${error.message}. Load the page again to see.`, true);
  }
  for (const one of buttons) one.disabled = false;
};

for (const form of document.querySelectorAll("form.action")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, event.submitter ?? form.querySelector("button"));
  });
}

const runs = document.getElementById("baseline-runs");
for (const box of document.querySelectorAll(".choose-run")) {
  box.checked = false;
  box.addEventListener("change", () => {
    const names = runs.value.split(/[\s,]+/).filter((name) => name && name !== box.value);
    if (box.checked) names.push(box.value);
    runs.value = names.join("\n");
  });
}

const done = sessionStorage.getItem(DONE);
if (done) {
  sessionStorage.removeItem(DONE);
  // A live region tells what changes in it after it is there.
  requestAnimationFrame(() => tell(done, false));
}
