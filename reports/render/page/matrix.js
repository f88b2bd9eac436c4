"use strict";
(() => {
  document.documentElement.classList.add("js");
  const byId = (id) => document.getElementById("page-" + id);
  const form = document.querySelector("form.filters");
  const clauses = [...document.querySelectorAll("#requirements tbody")];
  const templates = new Map([...document.querySelectorAll("template[data-of]")].map((t) => [t.dataset.of, t]));
  const search = byId("search");
  const verdict = byId("verdict"), level = byId("level"), feature = byId("feature"), server = byId("server"), side = byId("side");

  // The filters as the address has them.
  const filters = { side, verdict, level, feature, program: server, search };
  const usual = () => side.options[0].value;

  function copyButtons(root) {
    if (!navigator.clipboard) return;
    for (const pre of root.querySelectorAll("pre.command:not(:has(button))")) {
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
  }

  // Who got which verdict, in words.
  const heads = [...document.querySelectorAll("#requirements thead th")].slice(1).map((th) => th.textContent.trim().replace(/\s+/g, " "));
  function verdicts(clause) {
    const by = new Map();
    clause.dataset.each.split(",").forEach((v, i) => {
      if (v) by.set(v, [...(by.get(v) || []), heads[i]]);
    });
    const list = document.createElement("div");
    const term = document.createElement("dt"), text = document.createElement("dd");
    term.textContent = "Verdicts";
    text.textContent = [...by].map(([v, names]) => v + ": " + names.join(", ")).join("; ");
    list.append(term, text);
    return list;
  }

  // The detail of a clause is built when it is first opened.
  function show(clause, open) {
    const button = clause.querySelector("button");
    const row = clause.querySelector("tr.detail");
    const cell = row.firstElementChild;
    if (open && !cell.hasChildNodes()) {
      cell.colSpan = clause.querySelector("tr.head").children.length;
      const sheet = document.createElement("div"); // stays in view while the table is scrolled sideways
      sheet.className = "sheet";
      sheet.append(templates.get(clause.id).content.cloneNode(true));
      cell.append(sheet);
      cell.querySelector("dl.cited").append(verdicts(clause));
      copyButtons(cell);
    }
    row.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
  }
  const isOpen = (clause) => !clause.querySelector("tr.detail").hidden;

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const option of side.options) {
      document.documentElement.classList.toggle("no-" + option.value, option.value !== side.value);
    }
    for (const c of clauses) {
      const each = c.dataset.each.split(",");
      const seen = server.value === "" ? each : [each[server.selectedIndex - 1]];
      const keep = (!verdict.value || seen.includes(verdict.value)) &&
        (server.value === "" || seen[0] !== "") &&
        c.dataset.side.split(" ").includes(side.value) &&
        (!level.value || c.dataset.level === level.value) &&
        (!feature.value || c.dataset.features.split(" ").includes(feature.value)) &&
        words.every((word) => c.dataset.text.includes(word));
      c.hidden = !keep;
      if (keep) shown++;
    }
    byId("shown").textContent = shown === clauses.length ? `${shown} clauses` : `${shown} of ${clauses.length} clauses`;
  }

  // The address says what the filters are, for it to be passed on.
  function note() {
    const said = new URLSearchParams();
    for (const [name, control] of Object.entries(filters)) {
      if (control.value && !(control === side && control.value === usual())) said.set(name, control.value);
    }
    if (said.size > 0 || location.hash.includes("?")) {
      history.replaceState(null, "", "#requirements" + (said.size > 0 ? "?" + said : ""));
    }
  }

  function clear() {
    form.reset();
    filter();
    note();
  }

  // A deep link shows its clause whatever the filters say.
  function follow() {
    let [id, said] = location.hash.slice(1).split("?");
    try { id = decodeURIComponent(id); } catch { return; }
    if (said) {
      form.reset();
      for (const [name, value] of new URLSearchParams(said)) {
        const control = filters[name];
        if (control && (control === search || [...control.options].some((o) => o.value === value))) control.value = value;
      }
      filter();
    }
    const target = id && document.getElementById(id);
    for (const a of document.querySelectorAll("nav a")) {
      if (a.hash === location.hash) a.setAttribute("aria-current", "true");
      else a.removeAttribute("aria-current");
    }
    if (!target) return;
    if (target.matches("#requirements tbody")) {
      if (target.hidden) {
        form.reset();
        side.value = target.dataset.side.split(" ")[0];
        filter();
      }
      show(target, true);
      target.scrollIntoView();
      target.querySelector("button").focus({ preventScroll: true });
    } else {
      const heading = document.getElementById("h-" + id);
      if (heading) heading.focus({ preventScroll: true });
    }
  }

  for (const c of clauses) {
    c.querySelector("tr.head").addEventListener("click", (event) => {
      if (!event.target.closest("a")) show(c, !isOpen(c));
    });
  }

  function step(by) {
    const visible = clauses.filter((c) => !c.hidden);
    const at = visible.indexOf(document.activeElement.closest("#requirements tbody"));
    const next = visible[Math.min(Math.max(at + by, 0), visible.length - 1)];
    if (next) next.querySelector("button").focus();
  }

  form.hidden = false;
  form.addEventListener("input", () => { filter(); note(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector("button[type=reset]").addEventListener("click", (event) => { event.preventDefault(); clear(); });
  addEventListener("beforeprint", () => { for (const d of document.querySelectorAll("details.transcript")) d.open = true; });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "Escape") clear();
    if (typing) return;
    if (event.key === "/") {
      event.preventDefault();
      search.focus();
    } else if (event.key === "j" || event.key === "k") {
      step(event.key === "j" ? 1 : -1);
    }
  });
  addEventListener("hashchange", follow);
  copyButtons(document);
  filter();
  follow();
})();
