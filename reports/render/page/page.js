"use strict";
(() => {
  const byId = (id) => document.getElementById("page-" + id);
  const form = document.querySelector("form.filters");

  for (const pre of document.querySelectorAll("pre.command")) {
    if (!navigator.clipboard) break;
    const text = pre.textContent;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy the command");
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    pre.append(button);
  }

  const transcripts = () => document.querySelectorAll(".finding details.transcript");
  addEventListener("beforeprint", () => { for (const d of transcripts()) d.open = true; });

  if (!form) return;
  form.hidden = false;
  const specs = [...document.querySelectorAll("details.spec")];
  const groups = [...document.querySelectorAll("section.group")];
  const search = byId("search");
  const picks = { verdict: byId("verdict"), level: byId("level"), group: byId("group") };

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const spec of specs) {
      const keep = Object.entries(picks).every(([key, pick]) => !pick.value || spec.dataset[key] === pick.value) &&
        words.every((word) => spec.dataset.text.includes(word));
      spec.hidden = !keep;
      if (keep) shown++;
    }
    for (const group of groups) group.hidden = !group.querySelector("details.spec:not([hidden])");
    byId("shown").textContent = shown === specs.length ? `${shown} specs` : `${shown} of ${specs.length} specs`;
  }

  function clear() {
    form.reset();
    filter();
  }

  // A deep link shows its spec whatever the filters say.
  function follow() {
    let id = location.hash.slice(1);
    try { id = decodeURIComponent(id); } catch { return; }
    const spec = id && document.getElementById(id);
    if (!spec || !spec.matches("details.spec, article.finding")) return;
    if (spec.hidden || spec.closest("[hidden]")) clear();
    if (spec.matches("details.spec")) spec.open = true;
    spec.scrollIntoView();
    (spec.matches("details") ? spec.querySelector("summary") : spec).focus({ preventScroll: true });
  }

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  for (const link of document.querySelectorAll("[data-pick]")) {
    link.addEventListener("click", () => {
      form.reset();
      picks.verdict.value = link.dataset.pick;
      filter();
    });
  }
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && event.target === search) {
      clear();
    }
  });
  addEventListener("hashchange", follow);
  filter();
  follow();
})();
